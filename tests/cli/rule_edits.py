"""Changes to the shipped routing rules in a policy folder of the test's own."""

from pathlib import Path

from tests.cli.installation import OURS

RULE_FILE = "routing/910075918.toml"
EXCEPT_DPF = 'except = { service = "DPF" }\n'


def replace_in_file(path: Path, was: str, becomes: str) -> None:
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, becomes, 1))


DIRECTORY_FILE = """
organisation = "910075918"

[[case_system]]
id = "sak"
name = "Sakarkiv"
mode = "pull"

[[unit]]
id = "bv"
name = "Barneverntjenesten"
case_system = "sak"

[[person]]
id = "kari"
name = "Kari Leder"

[[capacity]]
person = "kari"
unit = "bv"
role = "leader"
"""
COMMENT = "# one more word\n"
BOOK = """\
# rows: 1
[units]
dokumentsenteret = "Dokumentsenteret"
[desk]
unit = "dokumentsenteret"
[[rule]]
id = "politi"
because = "Politiet skriver til alle enheter"
when = { sender = "312100010" }
to = "dokumentsenteret"
release = "by a person"
"""
CASES = f"""\
receiver = "{OURS}"
on = 2026-11-24
[[case]]
name = "politiet"
metadata = {{ sender = "312100010" }}
expect = {{ unit = "dokumentsenteret", rule = "politi", release = "by a person" }}
"""
