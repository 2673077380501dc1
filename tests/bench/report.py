"""The figures as a table for people and as JSON for programs, with the kind of machine."""

import json
import os
import platform
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from rich.markup import escape
from rich.table import Table

from tests.bench.figure import Figure

_SYNCS = 25


def table_of(figures: Sequence[Figure], missing: Sequence[str], wrong: Sequence[str] = ()) -> Table:
    """One row for each figure; below stands what could not be measured, and what went wrong."""
    table = Table(
        "what", "database", "ours (lowest-highest)", "beside", "ratio", "target", "met", "runs"
    )
    for each in figures:
        table.add_row(
            each.what + (f"\n[dim]{each.note}[/]" if each.note else ""),
            each.database,
            _measured(each.ours, each.middle, each.unit),
            _measured(each.beside, each.middle_beside, each.unit) + f"\n[dim]{each.beside_what}[/]"
            if each.beside
            else each.beside_what,
            "" if each.ratio is None else f"{each.ratio:.2f}",
            "" if each.target is None else each.target.words(each.unit),
            {True: "yes", False: "[bold red]NO[/]", None: ""}[each.met],
            str(each.runs),
        )
    failed = ["[bold red]WRONG OUTCOME:[/] " + "; ".join(escape(each) for each in wrong)]
    absent = ["Not measured: " + "; ".join(missing)]
    table.caption = "\n".join((failed if wrong else []) + (absent if missing else [])) or None
    return table


def _measured(runs: Sequence[float], middle: float | None, unit: str) -> str:
    if middle is None:
        return ""
    if len(runs) == 1:
        return f"{middle:.4g} {unit}"
    return f"{middle:.4g} {unit} ({min(runs):.4g}-{max(runs):.4g})"


def json_of(
    figures: Sequence[Figure],
    missing: Sequence[str],
    machine: dict[str, object],
    wrong: Sequence[str] = (),
) -> str:
    """All of it, with every single run."""
    return json.dumps(
        {
            "machine": machine,
            "figures": [each.as_json() for each in figures],
            "missed_targets": [f"{f.what} ({f.database})" for f in figures if f.met is False],
            "not_measured": list(missing),
            "wrong_outcomes": list(wrong),
        },
        indent=2,
    )


def machine_of(folder: Path) -> dict[str, object]:
    """The kind of machine, how busy it is, what its disk takes to keep a block; no names."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9, 1),
        "processor": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_average": round(os.getloadavg()[0], 1),
        "disk_sync_ms": round(_sync_seconds(folder) * 1000, 2),
    }


def _sync_seconds(folder: Path) -> float:
    path, taken = folder / "sync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            file.write(bytes(4096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    path.unlink()
    return median(taken)
