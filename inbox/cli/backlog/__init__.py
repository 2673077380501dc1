"""`inbox arrival`, `task`, `delivery`, `receipt`, `proposal`: what waits, and how it is settled."""
