"""The order of custody, read from a record: object synced, folder synced, commit, then DELETE."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from tests.faults.crash.strace_log import Call

_POP = re.compile(rb"GET /api/messages/in/pop/([\w-]+) ")
_DELETE = re.compile(rb"DELETE /api/messages/in/([\w-]+) ")
_COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
_COMMITTED = b"COMMIT\x00"


class Breach(StrEnum):
    """What had not happened when the gateway was told to delete."""

    OBJECT_NOT_SYNCED = "the object's bytes were not synced"
    FOLDER_NOT_SYNCED = "the object's name was not synced"
    NOT_COMMITTED = "no row was committed"
    COMMIT_NOT_SYNCED = "the commit was not on disk, or not answered"


@dataclass(frozen=True, kw_only=True)
class GatewayDelete:
    """One DELETE in a record, and the file that its message was written to before."""

    wire_id: str
    at: int
    """Where the DELETE stands in the record."""
    part: str | None
    name: str | None
    """The name that the file was linked to."""


def gateway_deletes(calls: Sequence[Call]) -> list[GatewayDelete]:
    """Every DELETE, with what was fetched for it last."""
    popped, parts, names = "", dict[str, str](), dict[str, str]()
    found = []
    for at, call in enumerate(calls):
        if call.name == "openat" and call.created and "/vault/parts/" in call.path:
            parts[popped] = call.path
        elif call.name == "link":
            names[call.path] = call.paths[1]
        elif call.name == "sendto" and (pop := _POP.match(call.content)):
            popped = pop[1].decode()
        elif call.name == "sendto" and (deleted := _DELETE.match(call.content)):
            wire_id = deleted[1].decode()
            part = parts.get(wire_id)
            name = None if part is None else names.get(part)
            found.append(GatewayDelete(wire_id=wire_id, at=at, part=part, name=name))
    return found


def breaches(calls: Sequence[Call]) -> list[tuple[str, Breach]]:
    """What was wrong at each DELETE, by the message's wire id."""
    return [
        (one.wire_id, breach)
        for one in gateway_deletes(calls)
        for breach in _breaches_at(calls, one)
    ]


def _breaches_at(calls: Sequence[Call], one: GatewayDelete) -> Iterator[Breach]:
    before = calls[: one.at]
    written = _last(before, "write", one.part)
    synced = _last(before, "fsync", one.part)
    linked = _last(before, "link", one.part)
    if not -1 < written < synced or -1 < linked < synced:
        yield Breach.OBJECT_NOT_SYNCED
    if linked < 0 or not _name_synced(before, linked, PurePath(one.name or "")):
        yield Breach.FOLDER_NOT_SYNCED
    yield from _commit_breaches(before, linked, one.wire_id.encode())


def _name_synced(before: Sequence[Call], linked: int, name: PurePath) -> bool:
    """The name in its folder, and, if that was made here, the folder in the vault."""
    folder, vault = str(name.parent), str(name.parent.parent)
    made = _last(before, "mkdir", folder)
    return _last(before, "fsync", folder) > linked and (
        made < 0 or _last(before, "fsync", vault) > made
    )


def _commit_breaches(before: Sequence[Call], linked: int, wire_id: bytes) -> Iterator[Breach]:
    since = [at for at in range(linked + 1, len(before)) if linked >= 0]
    frames = [at for at in since if before[at].name == "pwrite64" and _is_wal(before[at])]
    rows = [at for at in since if _is_database(before[at]) and wire_id in before[at].content]
    commits = [at for at in since if rows and at > rows[0] and before[at].content == _COMMIT]
    if frames:
        if _last(before, "fsync", before[frames[-1]].path) < frames[-1]:
            yield Breach.COMMIT_NOT_SYNCED
    elif not commits:
        yield Breach.NOT_COMMITTED
    elif not any(_answers(before[at], before[commits[0]]) for at in since if at > commits[0]):
        yield Breach.COMMIT_NOT_SYNCED


def _is_wal(call: Call) -> bool:
    return call.path.endswith("-wal")


def _is_database(call: Call) -> bool:
    """Said to PostgreSQL, which the tests reach by a socket of the file system."""
    return call.name == "sendto" and call.path.startswith("UNIX")


def _answers(call: Call, commit: Call) -> bool:
    return call.name == "recvfrom" and call.path == commit.path and _COMMITTED in call.content


def _last(calls: Sequence[Call], name: str, path: str | None) -> int:
    """Where such a call on this path stands last; -1 if nowhere."""
    places = [at for at, c in enumerate(calls) if c.name == name and c.paths and c.path == path]
    return places[-1] if places else -1
