"""What the line costs beside what it could cost: ratios inside one run, not promises of seconds."""
