"""What belongs to a run of tests or benchmarks, and its end."""
