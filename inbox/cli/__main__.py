"""`python -m inbox.cli` is `inbox`."""

from inbox.cli import main

main()
