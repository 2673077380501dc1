"""What needs two people: one proposes, another approves; also changes of policy and routing."""
