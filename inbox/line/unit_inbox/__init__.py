"""What handlers and leaders see of their unit's mail: lists with titles, a message, its content."""
