"""`doctor` looks at the file system under SQLite."""

from pathlib import Path

import pytest

from inbox.cli.doctor.file_systems import network_file_system_of
from inbox.cli.doctor.findings import CheckContext
from inbox.cli.doctor.machine import database_file
from inbox.config import read_settings
from inbox.health.words import words_of
from inbox.language import TextLanguage
from inbox.wiring import build_store
from tests.cli.installation import Installed

MOUNTS = """\
/dev/vda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
filer:/export /srv/data nfs4 rw,hard 0 0
/dev/vdb1 /srv/data/local xfs rw 0 0
//nas/share /mnt/with\\040blank cifs rw 0 0
host:/home /home/anne/mnt fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/inbox/inbox.db", None),
        ("/srv/data/inbox.db", "nfs4"),
        ("/srv/data/local/inbox.db", None),
        ("/srv/database/inbox.db", None),
        ("/mnt/with blank/inbox.db", "cifs"),
        ("/home/anne/mnt/inbox.db", "fuse.sshfs"),
    ],
)
def test_file_system_of_a_path_is_that_of_the_nearest_mount(
    tmp_path: Path, path: str, kind: str | None
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)

    assert network_file_system_of(Path(path), mounts) == kind


def test_doctor_calls_sqlite_on_a_network_file_system_wrong(
    installed: Installed, tmp_path: Path
) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"filer:/export {installed.folder} nfs4 rw 0 0\n")
    settings = read_settings({}, installed.config)
    patient = CheckContext(settings=settings, store=build_store(settings), mounts=mounts)

    sound = installed.ask("doctor").out
    found = [each.condition for each in database_file(patient) if each.condition is not None]

    assert "database.network_disk" not in sound
    assert [(each.subject, each.code) for each in found] == [
        ("database:nfs4", "database.network_disk")
    ]
    assert "SQLite lies on nfs4" in words_of(found[0], TextLanguage.EN).means
