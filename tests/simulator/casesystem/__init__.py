"""Tests of `inbox.simulator.casesystem`."""
