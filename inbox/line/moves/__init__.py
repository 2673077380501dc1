"""What people and case systems do: each move asks the policy, settles and audits in one transaction."""
