"""What people and case systems do: each asks the policy, settles and audits in one transaction."""
