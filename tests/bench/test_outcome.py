"""Every row of the benchmark refuses a figure of work that did not come about."""

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import ModuleType
from zipfile import ZipFile

import pytest
from rich.console import Console

from inbox.access import Policy
from inbox.access.facts.registry import FACTS
from inbox.line import Line
from inbox.trust.trust_store import TrustStore
from inbox.vault import FolderVault, StoredObject
from tests.bench import custody, custody_delay, document, package, start, throughput
from tests.bench.__main__ import Measured, measure
from tests.bench.askers import KINDS, Asking
from tests.bench.figure import Figure
from tests.bench.installation import furnish, line_at
from tests.bench.mail_filler import Extent, fill
from tests.bench.neighbour_process import apart, told
from tests.bench.neighbours import furnished
from tests.bench.outcome import WrongOutcome, check_outcome
from tests.bench.report import json_of, table_of
from tests.databases import postgres_database, sqlite_database
from tests.worlds import install


class _ShorteningVault(FolderVault):
    """Stores less than it was given."""

    def store(self, name: str, chunks: Iterable[bytes], key: bytes) -> StoredObject:
        return super().store(name, [b"".join(chunks)[:-1]], key)


def shortened(line: Line) -> Line:
    """The line with that vault, in whichever process has it."""
    assert isinstance(line.vault, FolderVault)
    return replace(line, vault=_ShorteningVault(line.vault._folder))


def trusting_nobody(line: Line) -> Line:
    """The line without a trust anchor, so that no package is opened."""
    assert isinstance(line.vault, FolderVault)
    nobody = line.vault._folder / "nobody"
    nobody.mkdir(exist_ok=True)
    return replace(line, trust=TrustStore(nobody))


def _row_folder(tmp_path: Path) -> tuple[Path, str]:
    folder = tmp_path / "row"
    folder.mkdir()
    return folder, sqlite_database(folder)


def _without_list(folder: Path) -> None:
    (folder / "trust" / "root.crl").unlink()


def _without_package(folder: Path) -> None:
    (folder / "package").write_bytes(b"no package")


@pytest.mark.parametrize("spoil", [_without_list, _without_package])
def test_throughput_row_refuses_a_figure_when_no_message_gets_through(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder, database = _row_folder(tmp_path)
    furnished(database, folder)
    spoil(folder)

    with pytest.raises(WrongOutcome, match="case systems heard of: 0, expected 2"):
        throughput.line_seconds(database, folder, messages=2, workers=1)


def test_throughput_row_counts_only_messages_of_its_own_run(tmp_path: Path) -> None:
    folder, database = _row_folder(tmp_path)
    furnished(database, folder)
    throughput.line_seconds(database, folder, messages=2, workers=1)
    _without_package(folder)

    with pytest.raises(WrongOutcome, match="case systems heard of: 2, expected 3"):
        throughput.line_seconds(database, folder, messages=1, workers=1)


@pytest.mark.long
def test_six_steps_row_refuses_a_figure_when_no_message_gets_through(
    tmp_path: Path, postgres_server: str
) -> None:
    pytest.importorskip("procrastinate")
    from tests.bench import six_steps

    database = postgres_database(postgres_server)
    furnished(database, tmp_path)
    _without_list(tmp_path)

    with pytest.raises(WrongOutcome, match="case systems heard of: 0, expected 2"):
        six_steps.procrastinate_seconds(database, tmp_path, messages=2, workers=1)


def test_custody_row_refuses_a_figure_when_the_vault_keeps_other_bytes(tmp_path: Path) -> None:
    folder, database = _row_folder(tmp_path)
    one = custody.Size(documents=1, document_bytes=10_000, runs=1)

    with pytest.raises(WrongOutcome, match="steps to fetch and confirm: 1, expected 2"):
        custody.measured(database, folder, one, shortened)


@pytest.mark.long
def test_custody_delay_row_refuses_a_figure_when_messages_are_not_offered(tmp_path: Path) -> None:
    folder, database = _row_folder(tmp_path)
    load = custody_delay.Load(
        messages=2, each_second=20, package_bytes=10_000, poll_seconds=0.1, patience_seconds=1
    )

    with pytest.raises(WrongOutcome, match="messages that are offered: 0, expected 2"):
        custody_delay.measured(database, folder, load, trusting_nobody)


def test_document_row_refuses_a_figure_when_the_package_is_not_offered(tmp_path: Path) -> None:
    folder, database = _row_folder(tmp_path)
    (tmp_path / "package-1x10.asice").write_bytes(b"no package")

    with pytest.raises(WrongOutcome, match="not offered"):
        document.measured(database, folder, document.Size(documents=1, document_bytes=10, runs=1))


def test_package_row_refuses_a_figure_when_the_package_is_not_accepted(tmp_path: Path) -> None:
    folder, _ = _row_folder(tmp_path)
    furnish(folder)
    with ZipFile(tmp_path / "package-1x10.asice", "w") as archive:
        archive.writestr("brev.txt", "not signed")
    size = package.Size(documents=1, document_bytes=10, elements=1, runs=1, small_runs=1)

    with pytest.raises(WrongOutcome, match="container"):
        package._large(folder, size)


def test_package_row_refuses_a_figure_when_fewer_parts_are_read() -> None:
    with pytest.raises(WrongOutcome, match="parts that were read: 1, expected 2"):
        package._seconds(2, package._nothing, lambda: "1")


def test_access_and_growth_rows_refuse_a_figure_when_nobody_sees_a_page(tmp_path: Path) -> None:
    folder, database = _row_folder(tmp_path)
    furnish(folder)
    with line_at(database, folder) as line:
        install(line.store, line.keyring)
        fill(line, Extent(messages=50, people=12, units=3))
        with line.store.reading() as tx:
            asking = Asking(tx, Policy([], facts=FACTS, digest="closed"))

            with pytest.raises(WrongOutcome, match="a page of the list for a handler: nobody"):
                asking.paging(KINDS[0])


def test_start_row_refuses_a_figure_when_the_gateway_is_never_asked() -> None:
    with apart(start.stand_by, 0.1) as gateway:
        told(gateway)
        gateway.send("has it been asked?")

        with pytest.raises(WrongOutcome, match="does not ask its gateway"):
            told(gateway)


def test_benchmark_shows_a_wrong_outcome_and_measures_the_rows_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong, right = ModuleType("wrong"), ModuleType("right")
    figure = Figure(what="a", database="-", unit="s", ours=(1.0,))
    vars(wrong)["quick"] = lambda *_: check_outcome("messages", expected=2, seen=0)
    vars(right)["quick"] = lambda *_: [figure]
    for module in (wrong, right):
        monkeypatch.setitem(sys.modules, f"tests.bench.{module.__name__}", module)

    *_, (_, measured) = measure(["wrong", "right"], "quick", None, tmp_path)

    assert measured.figures == [figure]
    assert measured.wrong == ["wrong on SQLite (messages: 0, expected 2)"]
    assert json.loads(json_of([], [], {}, measured.wrong))["wrong_outcomes"] == measured.wrong
    assert "WRONG OUTCOME: wrong on SQLite (messages: 0, expected 2)" in _shown(measured)


def _shown(measured: Measured) -> str:
    console = Console(width=300, file=StringIO())
    console.print(table_of(measured.figures, measured.missing, measured.wrong))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()
