"""Tests of `inbox.simulator.demo_mail`."""
