"""Tests of `inbox.simulator.packages`."""
