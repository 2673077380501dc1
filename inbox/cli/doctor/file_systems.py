"""Which file system a path lies on, where that is one of the network.

SQLite in WAL mode shares memory between processes and relies on locks that hold, so "all processes
using a database must be on the same host computer; WAL does not work over a network filesystem"
(sqlite.org/wal.html).
"""

from pathlib import Path
from typing import Final

MOUNTS: Final = Path("/proc/self/mounts")
_OVER_THE_NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"}
    | {"smb3", "smbfs"}
    | {f"fuse.{name}" for name in ("ceph-fuse", "glusterfs", "rclone", "s3fs", "sshfs", "davfs")}
)


def network_file_system_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The type of the file system, such as `nfs4`; None if it is local, or cannot be known."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    target, best, kind = path.resolve(), "", None
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:  # noqa: PLR2004 - device, folder, type
            continue
        folder = _unescape(fields[1])
        if target.is_relative_to(folder) and len(folder) >= len(best):
            best, kind = folder, fields[2]
    return kind if kind in _OVER_THE_NETWORK else None


def _unescape(text: str) -> str:
    """The kernel writes blanks in paths as octal numbers: a backslash and 040."""
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(octal, character)
    return text
