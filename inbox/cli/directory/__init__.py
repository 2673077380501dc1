"""`inbox directory`: units, people, case systems and personal codes."""
