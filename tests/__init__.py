"""The tests: they mirror `inbox/`."""
