"""What a disk still has after a power cut, by a record: only what was synced, and under its name.

The strictest disk there may be: a file's bytes last once the file is synced, a name (made, moved or
removed) once its folder is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from tests.faults.crash.strace_log import Call


@dataclass(kw_only=True)
class _File:
    now: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


class Disk:
    """The files below one folder, as they are and as they would be after a cut."""

    def __init__(self, root: Path) -> None:
        self._root = PurePath(root)
        self._now: dict[PurePath, _File | None] = {}
        for path in root.rglob("*"):
            if path.is_dir():
                self._now[path] = None
            elif path.is_file():
                content = path.read_bytes()
                self._now[path] = _File(now=bytearray(content), synced=content)
        self._synced = dict(self._now)

    def apply(self, call: Call) -> bool:
        """Do what the call did; whether that changed what a power cut leaves."""
        paths = [PurePath(path) for path in call.paths]
        if not paths or (self._root not in paths[0].parents and paths[0] != self._root):
            return False
        file = self._now.get(paths[0])
        if call.name == "openat" and call.created and paths[0] not in self._now:
            self._now[paths[0]] = _File()
        elif call.name == "mkdir":
            self._now[paths[0]] = None
        elif call.name in ("link", "rename"):
            self._now[paths[1]] = file
        if call.name in ("unlink", "rename"):
            self._now.pop(paths[0], None)
        if file is not None:
            _change(file, call)
        return call.name == "fsync" and self._sync(paths[0], file)

    def _sync(self, path: PurePath, file: _File | None) -> bool:
        if file is not None:
            changed, file.synced = file.synced != file.now, bytes(file.now)
            return changed
        there = {p: f for p, f in self._now.items() if p.parent == path}
        known = {p: f for p, f in self._synced.items() if p.parent == path}
        self._synced = {p: f for p, f in self._synced.items() if p.parent != path} | there
        return there.keys() != known.keys()

    def left(self) -> Mapping[PurePath, bytes]:
        """The files that a power cut would leave now, by their path below the folder."""
        return {
            path.relative_to(self._root): file.synced
            for path, file in self._synced.items()
            if file is not None and self._reachable(path.parents)
        }

    def _reachable(self, parents: Iterable[PurePath]) -> bool:
        return all(p in self._synced for p in parents if self._root in p.parents)


def _change(file: _File, call: Call) -> None:
    if call.name == "ftruncate":
        del file.now[call.length :]
        file.now.extend(bytes(call.length - len(file.now)))
    elif call.name in ("write", "pwrite64"):
        at = len(file.now) if call.offset is None else call.offset
        file.now.extend(bytes(max(0, at - len(file.now))))
        file.now[at : at + len(call.content)] = call.content
