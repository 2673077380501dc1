"""What the tests of faults share: scenarios, forked lines, injected failures, judges."""
