"""Access beyond an assignment: given, taken in an emergency, standing in, ended, reviewed."""
