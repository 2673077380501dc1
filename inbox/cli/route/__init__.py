"""`inbox route`: where mail goes."""
