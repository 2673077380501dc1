"""The benchmark of packages reads what it says it reads, and tells a slow verdict."""

from pathlib import Path
from time import sleep

import pytest
from lxml import etree

from tests.bench import package
from tests.bench.installation import furnish
from tests.databases import sqlite_database


def test_long_letter_has_about_the_requested_number_of_elements() -> None:
    counted = sum(1 for _ in etree.fromstring(package.long_letter(5000)).iter())

    assert 4950 <= counted <= 5050


def test_package_benchmark_reports_a_slow_verdict_as_a_missed_target(tmp_path: Path) -> None:
    furnish(tmp_path)
    size = package.Size(documents=0, document_bytes=0, elements=100, runs=1, small_runs=1)

    slow = package._small(tmp_path, size, lambda: sleep(0.02))

    assert [figure.met for figure in slow] == [False, False]
    assert all(figure.middle >= 20 for figure in slow)


@pytest.mark.long
def test_package_benchmark_is_measured_once_and_not_per_database(tmp_path: Path) -> None:
    folder = tmp_path / "row"
    folder.mkdir()

    figures = package.measured(sqlite_database(folder), folder, package.TINY)

    assert package.measured("postgresql://nobody", folder, package.TINY) == []
    assert [figure.beside_what for figure in figures[:2]] == [
        "sha256sum of it",
        f"{Path(package._unzip()[0]).name} to nowhere",
    ]
    assert sum(figure.target is not None for figure in figures[:2]) == 1
    assert figures[2].middle > 10
