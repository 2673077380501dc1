"""The program itself: quick help, one line for an error, listeners that end when told to."""

import json
import re
import signal
import socket
import subprocess
import tomllib
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest

from inbox.cli.serve import _bind
from inbox.config import Listener
from tests.cli.database_edits import leaves_of
from tests.cli.installation import Installed, program, python

HEAVY = ("sqlalchemy", "fastapi", "pydantic", "lxml", "casbin", "cryptography")


def _ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def _lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def test_help_names_every_command_and_the_exit_codes() -> None:
    answer = program("--help")

    said = " ".join(answer.out.split())
    assert answer.code == 0
    for name in (
        *("serve", "work", "demo", "init", "keys", "database", "directory", "message"),
        *("audit", "doctor", "policy", "route", "config"),
        *("arrival", "task", "delivery", "receipt", "proposal"),
    ):
        assert re.search(rf"│ {name} ", answer.out), name
    assert "0 fine; 1 something is wrong, or it was refused; 2 usage or configuration" in said


@pytest.mark.parametrize("words", [("init",), ("policy", "explain")], ids=" ".join)
def test_help_of_a_command_breaks_a_line_only_where_the_terminal_ends(
    words: tuple[str, ...],
) -> None:
    prose = program(*words, "--help").out.partition("╭")[0].partition("Usage:")[2]

    lines = [line.strip() for line in prose.splitlines()]
    within = [(line, after) for line, after in pairwise(lines) if line and after]
    assert within
    assert [line for line, after in within if len(line) + 1 + len(after.split()[0]) <= 78] == []


def test_help_of_a_group_offers_no_completion_of_its_own() -> None:
    assert "completion" not in program("policy", "--help").out


def test_help_imports_none_of_the_libraries_that_commands_need() -> None:
    source = (
        "import sys\nfrom inbox.cli import run\nassert run(['--help']) == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )

    answer = python(source)

    assert answer.err.strip() == "[]"


def test_version_option_prints_the_version_of_pyproject_and_needs_no_settings() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    answer = program("--version")

    assert (answer.code, answer.out, answer.err) == (0, f"inbox {project['version']}\n", "")


def test_serve_module_does_not_import_alembic() -> None:
    source = (
        "import sys\nimport inbox.cli.serve\n"
        "print([name in sys.modules for name in ('sqlalchemy', 'alembic')])"
    )

    answer = python(source)

    assert answer.out.strip() == "[True, False]"


@pytest.mark.parametrize(
    "words", [["nonsense"], ["keys", "nonsense"], ["message", "list", "--limit", "0"], ["init"]]
)
def test_invalid_command_lines_exit_with_2(empty: Installed, words: list[str]) -> None:
    assert empty.ask(*words).code == 2


def test_missing_settings_are_named_in_one_line_with_their_sources() -> None:
    answer = program("config", "check")

    assert answer.code == 2
    named = "inbox: config.invalid: no file is named by --config FILE or INBOX_CONFIG; database: "
    assert answer.err.startswith(named)
    assert answer.err.count("\n") == 1


def test_damaged_database_is_reported_in_one_line_without_its_content(installed: Installed) -> None:
    for path in installed.folder.glob("inbox.db*"):
        path.unlink()
    (installed.folder / "inbox.db").write_bytes(b"this is no database, and it is confidential")

    answer = program("--config", installed.config, "message", "list")

    assert answer.code == 1
    assert answer.err.startswith("inbox: database.damaged")
    assert answer.err.count("\n") == 1
    assert "Traceback" not in answer.err
    assert "confidential" not in answer.err


def test_serve_prints_its_addresses_answers_and_stops_on_sigterm(
    installed: Installed,
) -> None:
    process = installed.start("serve")

    addresses = dict(line.split(" ") for line in _lines(process, 2))
    with urllib.request.urlopen(f"{addresses['operator']}/health/live") as answer:  # noqa: S310 - ours
        live = answer.status
    code, _, err = _ended(process)

    assert sorted(addresses) == ["api", "operator"]
    assert live == 200
    assert (code, "Traceback" in err) == (0, False)
    assert '"event": "stopped"' in err
    noted = {
        leaf["subject"]: leaf["became"]
        for leaf in map(json.loads, leaves_of(installed))
        if leaf["event"] == "settings:in_force"
    }
    assert noted == installed.ask("config", "digests", "--json").value


def test_serve_on_a_port_in_use_exits_2(installed: Installed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = installed.config.read_text().replace("[api]\nport = 0", f"[api]\nport = {port}")
        installed.config.write_text(text)

        answer = program("--config", installed.config, "serve")

    assert answer.code == 2
    assert answer.err.startswith(f"inbox: serve.port: cannot listen on 127.0.0.1 port {port}")


@pytest.mark.long
def test_second_worker_on_the_same_sqlite_database_is_refused(installed: Installed) -> None:
    process = installed.start("serve")
    _lines(process, 2)

    second = program("--config", installed.config, "work")
    code, _, _ = _ended(process)

    assert second.code == 2
    assert "inbox: worker.running: another worker has this SQLite database" in second.err
    assert code == 0


@pytest.mark.long
def test_serve_no_worker_runs_beside_a_separate_work_process(installed: Installed) -> None:
    serving, working = installed.start("serve", "--no-worker"), installed.start("work")

    said = [*_lines(serving, 2), *_lines(working, 1)]
    ends = [_ended(process)[0] for process in (working, serving)]

    assert [line.split(" ")[0] for line in said] == ["api", "operator", "working"]
    assert ends == [0, 0]


def test_database_and_key_files_are_accessible_only_to_the_owner(empty: Installed) -> None:
    empty.ask("database", "upgrade")
    empty.ask("keys", "create")

    made = [empty.folder / "inbox.db", *(empty.folder / "keys").iterdir()]
    assert [path.name for path in made if path.stat().st_mode & 0o077] == []
    assert len(made) > 3


def test_settings_file_can_be_named_by_the_inbox_config_variable(empty: Installed) -> None:
    answer = program("config", "check", env={"INBOX_CONFIG": str(empty.config)})

    assert answer.code == 0


def test_listener_connections_have_tcp_nodelay_set() -> None:
    with (
        _bind(Listener(port=0)) as listener,
        socket.create_connection(listener.getsockname()[:2]),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
