"""The wheel has what the pages need, brought in by the build and never committed."""

import gzip
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[3]
PEOPLE = "inbox/web/people/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_wheel_has_sheets_templates_and_catalogues(wheel: Path) -> None:
    with ZipFile(wheel) as file:
        names = {name.removeprefix(PEOPLE) for name in file.namelist() if PEOPLE in name}
        sheet = file.read(f"{PEOPLE}static/vendor/designsystemet.css")
        packed = file.read(f"{PEOPLE}static/vendor/designsystemet.css.gz")
        others = [name for name in file.namelist() if not name.startswith("inbox")]

    assert names >= {
        "static/inbox.css",
        "static/vendor/inbox.css.gz",
        "static/vendor/LICENSE",
        "templates/base.html",
        "locale/nn/inbox.po",
        "locale/en/inbox.po",
    }
    assert gzip.decompress(packed) == sheet
    assert others == []


def test_sheet_in_the_wheel_is_the_one_whose_digest_is_committed(wheel: Path) -> None:
    expected = re.search(
        r'^EXPECTED = "([0-9a-f]{64})"', (ROOT / "hatch_build.py").read_text(), re.MULTILINE
    )

    with ZipFile(wheel) as file:
        sheet = file.read(f"{PEOPLE}static/vendor/designsystemet.css")

    assert expected is not None
    assert hashlib.sha256(sheet).hexdigest() == expected[1]


def test_sheets_of_others_are_named_by_version_and_digest_and_not_committed() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    committed = subprocess.run(
        ["git", "ls-files", f"{PEOPLE}static"], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert packages["node_modules/@digdir/designsystemet-css"]["version"] == "1.22.0"
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert not any("resolved" in each for each in packages.values())
    assert "://" not in (ROOT / "package.json").read_text()
    assert committed.stdout.split() == [f"{PEOPLE}static/inbox.css"]
