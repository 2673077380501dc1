"""Journeys of people through the staff inbox of a whole world."""
