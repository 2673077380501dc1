"""What people and case systems do: each move authorizes, settles and audits in one transaction."""
