"""The demo's time: the machine's, or a time in the past that is brought forward to now."""

from datetime import UTC, datetime, timedelta

from sqlmodel import Session


class DemoClock:
    """One clock for the line and its simulated neighbours; it never runs backwards.

    It begins at `start` and runs as fast as any clock. `move_to` brings it forward, and
    `return_to_present` makes it the machine's for good. Without a start it is that from the
    beginning.
    """

    def __init__(self, start: datetime | None = None) -> None:
        self._behind = timedelta(0)
        if start is not None:
            self._set(start)

    def now(self) -> datetime:
        """The time, as the simulators ask for it."""
        return datetime.now(UTC) - self._behind

    def __call__(self, session: Session) -> datetime:
        """The time, as a `Store` asks for it."""
        del session
        return self.now()

    @property
    def is_present(self) -> bool:
        """Whether it is the machine's clock."""
        return not self._behind

    def move_to(self, moment: datetime) -> None:
        """Let time pass until then; a moment that is past already is left alone."""
        if moment > self.now():
            self._set(moment)

    def pass_by(self, span: timedelta) -> None:
        """Let so much time pass, and never more than there is until now."""
        self.move_to(self.now() + span)

    def return_to_present(self) -> None:
        """From now on it is the machine's clock."""
        self._behind = timedelta(0)

    def _set(self, moment: datetime) -> None:
        self._behind = max(timedelta(0), datetime.now(UTC) - moment)
