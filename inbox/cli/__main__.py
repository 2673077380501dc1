"""Makes `python -m inbox.cli` the same as `inbox`."""

from inbox.cli import main

main()
