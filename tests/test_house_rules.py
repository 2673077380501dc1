"""How code looks here, held by tests that first show that they can see."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = sorted((ROOT / "inbox").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE = 400
_PLAIN_DECORATORS = {"property", "cached_property", "classmethod", "staticmethod", "cache"}
CALLED_BY_LIBRARIES = {
    "coerce_compared_value": "SQLAlchemy, for a column type",
    "list_commands": "Click, for a group of commands",
    "readinto": "io.BufferedReader, for a raw stream",
}
"""Functions of the product that no code of ours names, and who calls them."""


def _unused_functions(sources: list[str]) -> list[str]:
    """Public functions whose name stands once in all sources: nothing of the product calls them.

    One with a decorator is reached by it: a command, a route, a listener.
    """
    words = Counter(word for source in sources for word in re.findall(r"[A-Za-z_]\w*", source))
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    return sorted(
        node.name
        for node in nodes
        if isinstance(node, ast.FunctionDef)
        and words[node.name] == 1
        and not node.name.startswith("_")
        and not [d for d in node.decorator_list if ast.unparse(d) not in _PLAIN_DECORATORS]
    )


def _broad_handlers(source: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler) and not _passes_on(node):
            name = ast.unparse(node.type) if node.type else "bare"
            if name in ("Exception", "BaseException", "bare"):
                yield node.lineno


def _passes_on(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _patched_names(source: str) -> list[str]:
    return re.findall(r"mock\.patch|monkeypatch\.setattr|from unittest import mock", source)


def _sets_state(source: str) -> list[int]:
    """Lines that assign `.state` or put "state" into the values of an UPDATE."""
    found = []
    for node in ast.walk(ast.parse(source)):
        targets = node.targets if isinstance(node, ast.Assign) else []
        found += [n.lineno for n in targets if isinstance(n, ast.Attribute) and n.attr == "state"]
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "values":
            found += [k.value.lineno for k in node.keywords if k.arg == "state"]
    return found


def _test_files_imported(source: str) -> list[str]:
    """The modules named test_* that are imported here, or imported from; not the product's."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.level or _is_in_tests(node.module)):
            start = "." * node.level + (node.module or "")
            found += [start] if _names_test_file(start) else []
            found += [f"{start} {a.name}" for a in node.names if a.name.startswith("test_")]
        if isinstance(node, ast.Import):
            modules = [a.name for a in node.names if _is_in_tests(a.name)]
            found += [module for module in modules if _names_test_file(module)]
    return found


def _is_in_tests(module: str | None) -> bool:
    return module is not None and module.split(".")[0] == "tests"


def _names_test_file(module: str) -> bool:
    return any(part.startswith("test_") for part in module.split("."))


def _days_outside_norway(source: str) -> list[int]:
    """Lines on which an instant becomes a day, or a day an instant, by a clock that is not ours.

    A time that is written out with its zone is none.
    """
    found = []
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        name = getattr(getattr(node, "func", None), "attr", "")
        if isinstance(node, ast.Call) and name in {"date", "today", "combine", "strptime"}:
            found.append(node.lineno)
        writes_day = isinstance(node, ast.Call) and name == "strftime"
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            writes_day = "%d" in ast.unparse(node.format_spec)
        if writes_day and isinstance(node, ast.expr):
            line = lines[node.lineno - 1]
            if not any(word in line for word in ("in_norway(", "day_of(", "UTC")):
                found.append(node.lineno)
    return found


def test_house_rule_helpers_detect_violations() -> None:
    assert list(_broad_handlers("try:\n    pass\nexcept Exception:\n    pass")) == [3]
    assert _patched_names("mock" + ".patch('x')")
    assert _sets_state("row.state = 1\nupdate(t).values(state=2)") == [1, 2]
    instants = (
        "now.date()\ndate.today()\ndatetime.combine(day, time())\nf'{now:%Y-%m-%d}'\n"
        "now.strftime('%d')\nf'{day_of(now):%d}'\nf'{now:%d} UTC'\nin_norway(now).strftime('%d')"
    )
    assert sorted(_days_outside_norway(instants)) == [1, 2, 3, 4, 5]
    assert len(PRODUCT) > 100
    assert len(TESTS) > 30


def test_test_file_import_check_finds_each_form_of_import() -> None:
    from_another = [
        "from tests.a.test_b import c",
        "from tests.a import (\n    d,\n    test_b,\n)",
        "import tests.a.test_b as b",
        "from .test_b import c",
        "from . import test_b",
        "def f():\n    from tests.a.test_b import c",
    ]
    from_builders = ["from tests.a.b import c", "import tests.a", "from inbox.a import test_b"]

    assert [len(_test_files_imported(source)) for source in from_another] == [1] * 6
    assert [_test_files_imported(source) for source in from_builders] == [[], [], []]


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.stem)
def test_product_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", PRODUCT, ids=lambda path: path.stem)
def test_every_product_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_tests_use_no_mock_patch_or_monkeypatch_setattr() -> None:
    here = Path(__file__)

    patched = {path.name for path in TESTS if path != here and _patched_names(path.read_text())}

    assert patched == set()


def test_no_test_file_imports_from_another_test_file() -> None:
    """What several test files share stands in a builder module, which imports from none either."""
    imported = {
        str(path.relative_to(ROOT)): found
        for path in TESTS
        if (found := _test_files_imported(path.read_text()))
    }

    assert imported == {}


def test_broad_except_handlers_occur_only_in_allowed_files() -> None:
    """The worker's loop, the policy engine, others' certificates, and the end of a request."""
    allowed = {
        "inbox/access/policy/engine.py",
        "inbox/cli/__init__.py",
        "inbox/cli/doctor/command.py",
        "inbox/cli/serve.py",
        "inbox/package/signature/certificate_path.py",
        "inbox/package/signature/revocation.py",
        "inbox/worker.py",
    }

    broad = {
        str(path.relative_to(ROOT)) for path in PRODUCT if list(_broad_handlers(path.read_text()))
    }

    assert broad == allowed


def test_only_settle_sets_a_state() -> None:
    inside = [path for path in PRODUCT if "simulator" not in path.parts]

    setting = {path.name for path in inside if _sets_state(path.read_text())}

    assert setting == set()
    assert '"state": step.became' in (ROOT / "inbox" / "line" / "settle.py").read_text()


def test_only_one_module_turns_instants_into_days_and_back() -> None:
    found = {
        str(path.relative_to(ROOT)): lines
        for path in PRODUCT
        if "simulator" not in path.parts
        and path.name != "days.py"
        and (lines := _days_outside_norway(path.read_text()))
    }

    assert _days_outside_norway((ROOT / "inbox" / "days.py").read_text())
    assert found == {}


def test_only_config_and_demo_stage_read_the_environment() -> None:
    reading = {
        str(path.relative_to(ROOT))
        for path in PRODUCT
        if re.search(r"os\.environ|os\.getenv", path.read_text())
    }

    assert reading <= {"inbox/config.py", "inbox/cli/demo/stage.py"}


def test_committed_files_name_no_registry_or_local_path() -> None:
    listed = [*PRODUCT, *TESTS, *(ROOT / "docs").rglob("*.md"), ROOT / "Makefile"]
    listed += [*(ROOT / "requirements").glob("*.txt"), ROOT / "README.md"]
    addresses = re.compile("pypi" + r"\.org|files\.python" + r"hosted|--index" + "-url|/wo" + "rk/")

    assert [path.name for path in listed if addresses.search(path.read_text())] == []


def test_every_requirement_is_pinned_with_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        pinned = re.findall(r"^([a-z0-9][^ =]*)==", path.read_text(), re.MULTILINE)
        blocks = re.split(r"^(?=[a-z0-9])", path.read_text(), flags=re.MULTILINE)
        assert len(pinned) > 20
        assert all("--hash=sha256:" in block for block in blocks if "==" in block)


def test_casbin_is_installed_only_as_pycasbin() -> None:
    from importlib.metadata import PackageNotFoundError, distribution

    assert distribution("pycasbin").version
    with pytest.raises(PackageNotFoundError):
        distribution("casbin")


def test_every_public_function_of_the_product_is_used_by_the_product() -> None:
    example = "def used(): ...\ndef unused(): used()\n@app.command\ndef said(): ...\n"
    assert _unused_functions([example]) == ["unused"]

    sources = [path.read_text() for path in PRODUCT if "simulator" not in path.parts]

    assert len(sources) > 300
    assert _unused_functions(sources) == sorted(CALLED_BY_LIBRARIES)
