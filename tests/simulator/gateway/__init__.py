"""Tests of `inbox.simulator.gateway`."""
