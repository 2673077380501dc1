"""The backlog (*restanser*): what waits, looked up for people as far as each may know of it."""
