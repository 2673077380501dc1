"""What has been registered, on disk: the archive of the case systems and people, never killed."""

import os
from pathlib import Path


class Archive:
    """One line per entry: whose it is, the sender's id, the reference; `-` takes one away.

    A case system enters a *delivery* once. So a message that is offered twice, and registered by
    both, has two entries.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "archive"

    def enter(self, owner: str, wire_id: str) -> str:
        """The reference of what this owner has registered; the same one each time it is asked."""
        lines = self._lines()
        for line in lines:
            if line[0] == owner:
                return line[2]
        reference = f"2026/{len(lines) + 1:06}-1"
        self._append(owner, wire_id, reference)
        return reference

    def delete(self, owner: str, wire_id: str) -> None:
        """Taken away again: as if it had never been there."""
        self._append(f"-{owner}", wire_id, "-")

    def held(self) -> dict[str, list[str]]:
        """The references by the sender's id."""
        lines = self._lines()
        gone = {owner.removeprefix("-") for owner, _, _ in lines if owner.startswith("-")}
        held: dict[str, list[str]] = {}
        for owner, wire_id, reference in lines:
            if owner not in gone and not owner.startswith("-"):
                held.setdefault(wire_id, []).append(reference)
        return held

    def _lines(self) -> list[list[str]]:
        text = self._path.read_text() if self._path.exists() else ""
        return [line.split() for line in text.splitlines()]

    def _append(self, *words: str) -> None:
        with self._path.open("a") as file:
            file.write(" ".join(words) + "\n")
            file.flush()
            os.fsync(file.fileno())
