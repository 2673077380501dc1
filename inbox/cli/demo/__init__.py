"""`inbox demo`: the whole line on this machine, with made-up mail and people."""
