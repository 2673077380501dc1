"""Changes to the shipped routing rules in a policy folder of the test's own."""

from pathlib import Path

RULE_FILE = "routing/910075918.toml"
EXCEPT_DPF = 'except = { service = "DPF" }\n'


def replace_in_file(path: Path, was: str, becomes: str) -> None:
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))
