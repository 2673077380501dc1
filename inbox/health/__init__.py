"""What is wrong: one table of conditions for everything that shows it.

A condition stands for as long as what it says is so, and is found anew each time it is asked for.
`ready`, `inbox doctor`, `inbox watch`, the metrics, the log and the pages read `current`, and
nothing else computes it. What a code means, what happens if nothing is done, who can mend it and
how, stands in `conditions.toml`.
"""
