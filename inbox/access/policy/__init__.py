"""What a policy is made of: its vocabulary, its conditions, and casbin deciding over its rules."""
