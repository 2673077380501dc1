"""Tests of the audit's tree, leaves, checkpoints and verifiers."""
