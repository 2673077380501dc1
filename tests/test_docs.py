"""The documentation says what is so: commands, targets, links, settings, states, sections."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from typer.main import get_command

from inbox.casesystem import DeliveryEvent
from inbox.casesystem.webhook import event_body, sign
from inbox.cli import app
from inbox.config import Settings
from inbox.domain import MOVES

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WIRE, ARCHITECTURE = ROOT / "docs" / "wire.md", ROOT / "docs" / "architecture.md"
OPERATORS, VENDORS = ROOT / "docs" / "operators.md", ROOT / "docs" / "vendors.md"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CITED = re.compile(r"\b(reference|design) (§[0-9.]+(?:,? (?:and )?§[0-9.]+)*)")


def _commands(text: str) -> Iterator[list[str]]:
    """The words after `$` in console blocks, and what stands in backticks in the prose."""
    for kind, block in _FENCE.findall(text):
        if kind == "console":
            for line in block.splitlines():
                yield shlex.split(line.removeprefix("$ "))
    for inline in re.findall(r"`((?:inbox|make)\s[^`]+)`", _FENCE.sub("", text)):
        yield inline.split()


def _wrong_with(words: list[str]) -> str | None:
    """What the program does not know of a command line; None if it knows all of it."""
    command: Any = get_command(app)
    context = command.make_context("inbox", [], resilient_parsing=True)
    for word in words:
        if word.startswith("--"):
            known = [option for param in command.params for option in param.opts]
            if word.partition("=")[0] not in known:
                return word
        elif hasattr(command, "get_command"):
            found = command.get_command(context, word)
            if found is None:
                return word
            context = found.make_context(word, [], parent=context, resilient_parsing=True)
            command = context.command
    return None


def _slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


def _numbers(page: Path) -> set[str]:
    return set(re.findall(r"^#+ (\d+(?:\.\d+)*)\.? ", page.read_text(), re.MULTILINE))


def _cited(text: str) -> Iterator[tuple[str, str]]:
    """Which sections a source cites, over line ends too."""
    for kind, sections in _CITED.findall(re.sub(r"\s+(?:# )?", " ", text)):
        for section in re.findall(r"§([0-9.]+)", sections):
            yield kind, section.rstrip(".")


def _keys(kind: type[BaseModel], before: str = "") -> Iterator[str]:
    """The settings by their full names: a part's own name is that of its keys."""
    for name, field in kind.model_fields.items():
        inner = [field.annotation, *get_args(field.annotation)]
        parts = [each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)]
        if parts:
            yield from _keys(parts[0], f"{name}.")
        else:
            yield before + name


def test_documentation_helpers_find_commands_citations_settings_and_anchors() -> None:
    assert _wrong_with(["keys", "nothing"]) == "nothing"
    assert _wrong_with(["serve", "--nothing"]) == "--nothing"
    assert _wrong_with(["directory", "import", "x.toml", "--by", "a", "--with", "b"]) is None
    assert list(_commands("```console\n$ inbox a\n```\nSee `inbox b\nc`.")) == [
        ["inbox", "a"],
        ["inbox", "b", "c"],
    ]
    assert list(_cited("x (reference\n    # §4.4, §13).")) == [
        ("reference", "4.4"),
        ("reference", "13"),
    ]
    assert {"terms.undo_minutes", "gateways.url", "vault"} <= set(_keys(Settings))
    assert "14-pop" in _slugs(WIRE)
    assert {"1", "1.4"} <= _numbers(WIRE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_on_a_documentation_page_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    known = re.findall(r"^([a-z-]+):|^([A-Z]+) \?=", makefile, re.MULTILINE)
    names = {target or variable for target, variable in known}
    for words in _commands(page.read_text()):
        program, *rest = words
        if Path(program).name == "inbox":
            assert _wrong_with(rest) is None, words
        elif program == "make":
            assert {word.partition("=")[0] for word in rest} <= names, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_on_a_documentation_page_resolves(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", _FENCE.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in _slugs(target), link


def test_every_setting_is_described_in_operators_md() -> None:
    rows = "\n".join(re.findall(r"^\| (`[^|]+) \|", OPERATORS.read_text(), re.MULTILINE))
    assert set(_keys(Settings)) <= set(re.findall(r"`([a-z0-9_.]+)`", rows))


def test_every_state_and_move_is_in_architecture_md() -> None:
    words = set(re.findall(r"\w+", ARCHITECTURE.read_text()))
    assert {str(state) for states in MOVES for state in states} <= words
    moves = {by for kind, moved in MOVES.items() for by in moved}
    # Of a task and a proposal the states alone tell enough.
    assert moves - {"close", "approve", "decline", "lapse"} <= words


@pytest.mark.parametrize("page", ["README.md", "docs/operators.md"])
def test_page_names_the_python_versions_of_pyproject(page: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [re.search(r"Python :: (3\.\d+)$", each) for each in project["classifiers"]]
    *older, newest = [each[1] for each in found if each]

    assert f"Linux, Python {', '.join(older)} or {newest}," in (ROOT / page).read_text()


def test_every_section_cited_in_code_exists() -> None:
    there = {"reference": _numbers(WIRE), "design": _numbers(ARCHITECTURE)}
    sources = sorted([*(ROOT / "inbox").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
    cited = {
        (kind, section)
        for source in sources
        if source != Path(__file__)
        for kind, section in _cited(source.read_text())
    }
    assert len(cited) > 10
    assert not [each for each in cited if each[1] not in there[each[0]]]


def test_every_decision_page_is_listed_and_has_context_choice_and_costs() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        text = page.read_text()
        assert f"decisions/{page.name}" in index, page.name
        assert text.startswith(f"# {page.name[:4]} "), page.name
        assert text.count("**Context.**") == 1, page.name
        assert re.search(r"\*\*(Choice|Choices)\.\*\*", text), page.name
        assert re.search(r"\*\*(What it costs us|Costs)\.\*\*", text), page.name


def test_every_finding_from_outside_has_a_row_with_tests_that_exist() -> None:
    table = (ROOT / "docs" / "assurance.md").read_text().partition("## Found outside")[2]
    rows = dict(re.findall(r"^\| ([A-E]\d) \|.*\| ([^|]+) \|$", table, re.MULTILINE))

    findings = {"A": 4, "B": 5, "C": 8, "D": 5, "E": 6}
    assert list(rows) == [
        f"{part}{n}" for part, last in findings.items() for n in range(1, last + 1)
    ]
    for finding, cell in rows.items():
        named = re.findall(r"`(tests/[^`:]+)(?:::(test_\w+))?`", cell)
        assert named, finding
        for path, test in named:
            assert (ROOT / path).exists(), (finding, path)
            assert not test or f"def {test}(" in (ROOT / path).read_text(), (finding, test)


def test_signature_check_in_vendors_md_accepts_only_genuine_events() -> None:
    found = re.search(
        r"<!-- run: signature -->\n```python\n(.*?)```", VENDORS.read_text(), re.DOTALL
    )
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 - our own page
    is_genuine = names["is_genuine"]
    now = datetime.now(UTC)
    event = DeliveryEvent(
        id="5e0c",
        kind="no.inbox.delivery.offered.v1",
        organisation="910075918",
        delivery_id="8b1f",
        occurred_at=now,
    )
    body, secret = event_body(event), "whsec_c2VjcmV0"

    def headers(at: datetime) -> dict[str, str]:
        return {
            "webhook-id": event.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": "v1a,other " + sign(b"secret", event.id, at, body),
        }

    assert is_genuine(secret, headers(now), body)
    assert not is_genuine(secret, headers(now), body + b" ")
    assert not is_genuine("whsec_b3RoZXI=", headers(now), body)
    assert not is_genuine(secret, headers(now - timedelta(hours=1)), body)
    assert not is_genuine(secret, headers(now) | {"webhook-id": "6"}, body)
    shown = re.search(r"```json\n(\{\"specversion.*?)```", VENDORS.read_text(), re.DOTALL)
    assert shown is not None
    assert set(json.loads(shown[1])) == set(json.loads(body))
