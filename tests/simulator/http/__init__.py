"""Tests of `inbox.simulator.http`."""
