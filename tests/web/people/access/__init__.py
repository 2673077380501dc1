"""What each role, a stranger and an ended session get from every page, and what they never see."""
