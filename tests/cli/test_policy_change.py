"""A change of policy or routing on the command line: propose, approve, activate, roll back."""

import re
from pathlib import Path

import pytest

from inbox.config import read_settings
from inbox.errors import ConfigurationError
from inbox.wiring import build_line
from tests.cli.database_edits import change, leaves_of
from tests.cli.installation import OURS, Answer, Installed
from tests.cli.rule_edits import BOOK, CASES, COMMENT

pytestmark = pytest.mark.usefixtures("in_english")


def _change(installed: Installed, file: str = "allow.csv", text: str = COMMENT) -> None:
    """Another digest, the same rules."""
    path = installed.folder / "policies" / file
    path.write_text(path.read_text() + text)


def _as(installed: Installed, person: str, *words: str, reason: str = "") -> Answer:
    """Run a command as a person with the own code."""
    typed = f"{installed.codes[person]}\n{reason}\n"
    return installed.ask(*words, "--by", person, "--code-from-stdin", stdin=typed)


def _shown(own: Installed) -> str:
    """What `policy show` says of the folder, in English."""
    return own.ask("policy", "show", "--language", "en").out.strip()


def _read(answer: Answer, label: str) -> str:
    found = re.search(rf"{label}:? ([0-9a-f]+)", answer.out)
    assert found is not None, answer
    return found[1]


def _proposed(installed: Installed) -> tuple[str, str]:
    """The proposal's id, and the digest of what it changes."""
    answer = _as(installed, "anne", "policy", "propose")
    assert answer.code == 0, answer.err
    return _read(answer, "proposed"), _read(answer, "acknowledge")


def _history(installed: Installed, *words: str) -> list[dict[str, str]]:
    value = installed.ask(*(words or ("policy", "history")), "--json").value
    assert isinstance(value, list)
    return value


def _events(installed: Installed) -> bytes:
    return b"\n".join(leaves_of(installed))


def test_policy_and_route_history_start_with_the_installed_versions(installed: Installed) -> None:
    (policy,) = _history(installed)
    (route,) = _history(installed, "route", "history", OURS)
    shown = installed.ask("policy", "show", "--digest", policy["digest"], "--json").value

    assert (policy["state"], route["state"]) == ("active", "active")
    assert "anne" in policy["proposed"]
    assert "bjorn" in policy["approved"]
    assert isinstance(shown, dict)
    assert shown["allow.csv"] == Path("policies/allow.csv").read_text()
    assert "tests/access.toml" in shown


def test_policy_change_needs_two_people_and_can_be_rolled_back(own: Installed) -> None:
    first = _history(own)[0]["digest"]
    _change(own)
    proposal, acknowledge = _proposed(own)

    looked_at = _as(own, "bjorn", "policy", "approve", proposal)
    assert looked_at.code == 1
    assert first in looked_at.out
    assert _read(looked_at, "acknowledge") == acknowledge
    assert "NOT the active policy" in _shown(own)

    approved = _as(own, "bjorn", "policy", "approve", proposal, "--acknowledge", acknowledge)
    digest = _read(approved, "not active yet")
    assert "NOT the active policy" in _shown(own)

    assert _as(own, "anne", "policy", "activate", digest).code == 0
    assert _shown(own).endswith(": active")

    back = _as(own, "anne", "policy", "roll-back", reason="Kari saw too much")
    assert _read(back, "active again") == first
    assert [(each["state"], each["digest"]) for each in _history(own)] == [
        ("rolled back", digest),
        ("active", first),
    ]
    said = _events(own)
    for happened in ("proposed", "approved", "activated", "rolled_back"):
        assert f"policy:{happened}".encode() in said
    assert acknowledge.encode() in said
    assert b"Kari" not in said


def test_policy_approve_can_activate_in_the_same_step(own: Installed) -> None:
    _change(own)
    proposal, acknowledge = _proposed(own)

    told = _as(
        own, "bjorn", "policy", "approve", proposal, "--activate", "--acknowledge", acknowledge
    )

    assert told.code == 0
    assert _shown(own).endswith(": active")


def test_route_roll_back_uses_the_active_policy_and_not_the_edited_folder(own: Installed) -> None:
    _change(own)
    (own.folder / "policies" / "deny.csv").write_text("")

    told = _as(own, "anne", "route", "roll-back", reason="r")

    assert told.err.startswith("inbox: route.nothing_before: ")


def test_route_propose_with_rules_to_unknown_units_is_refused(own: Installed) -> None:
    _change(own, f"routing/{OURS}.toml")

    told = _as(own, "anne", "route", "propose")

    assert told.code == 2
    assert told.err.startswith("inbox: route.units: ")


def _documented() -> list[list[str]]:
    text = (Path(__file__).parents[2] / "docs" / "changing-policy.md").read_text()
    blocks = re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [line.removeprefix("$ inbox ").split() for line in "".join(blocks).splitlines()]


def _expected(words: list[str]) -> int:
    """All of them do what they say; to look at a proposal is not to approve it.

    To roll back to rules that gain something is to propose it.
    """
    only_shown = words[1] == "approve" and "--acknowledge" not in words
    return int(only_shown or words[:2] == ["route", "roll-back"])


@pytest.mark.long
def test_commands_in_changing_policy_md_work_as_described(own: Installed) -> None:
    (own.folder / "policies" / "tests" / "routing.toml").write_text(CASES)
    (own.folder / "policies" / "routing" / f"{OURS}.toml").write_text(BOOK)
    _change(own)
    seen: dict[str, str] = {}
    commands = _documented()

    for command in commands:
        words = [seen.get(word, word) for word in command]
        person = words[words.index("--by") + 1] if "--by" in words else None
        typed = "" if person is None else f"{own.codes[person]}\n"
        if command[1] in {"roll-back", "switch-off"}:
            typed += "because\n"
        stdin = ["--code-from-stdin"] if person else []

        told = own.ask(*words, *stdin, stdin=typed)

        assert told.code == _expected(command), (command, told)
        for name, label in (
            ("PROPOSAL", r"proposed ([0-9a-f]{32});"),
            ("DIFFERENCE", r"acknowledge: ([0-9a-f]{64})"),
            ("DIGEST", r"not active yet: ([0-9a-f]{64})"),
        ):
            if found := re.search(label, told.out):
                seen[name] = found[1]

    assert len(commands) > 12
    policy, route = (
        [each["state"] for each in _history(own, *words)]
        for words in ((), ("route", "history", OURS))
    )
    assert policy == ["active", "rolled back", "replaced"]
    assert route == ["proposed", "active", "replaced", "replaced"]


def test_folder_with_other_invariants_or_cases_is_not_called_active(own: Installed) -> None:
    assert _shown(own).endswith(": active")

    for file in ("invariants.txt", "tests/access.toml"):
        path = own.folder / "policies" / file
        before = path.read_text()
        path.write_text(before + COMMENT)
        assert (
            own.ask("policy", "show", "--language", "en")
            .out.strip()
            .endswith(": NOT the active policy")
        )
        path.write_text(before)


def test_policy_show_names_two_versions_that_share_an_old_digest_by_their_ids(
    own: Installed,
) -> None:
    _change(own, "invariants.txt")
    _proposed(own)
    digest = "0" * 64
    change(own, "UPDATE policy_version SET digest = printf('%064d', 0), digest_rule = 1")

    told = own.ask("policy", "show", "--digest", digest)
    ids = [each["proposal"] for each in _history(own)]
    shown = [own.ask("policy", "show", "--digest", each).out for each in ids]

    assert (told.code, "policy.shared_digest" in told.err) == (1, True)
    assert [text.count(COMMENT) for text in shown] == [1, 0]


def test_policy_row_is_switched_off_by_one_person_and_shown_as_off(own: Installed) -> None:
    told = _as(own, "anne", "policy", "switch-off", "A46b", reason="Kari saw too much")

    digest = _read(told, "active")
    (now, first) = _history(own)
    assert "Row A46b is switched off." in told.out
    assert (now["state"], now["digest"]) == ("active", digest)
    assert now["approved"] is None
    assert first["state"] == "replaced"
    files = own.ask("policy", "show", "--digest", digest, "--json").value
    assert isinstance(files, dict)
    (own.folder / "policies" / "allow.csv").write_text(files["allow.csv"])
    rows = own.ask("policy", "show", "--markdown").out
    assert re.search(r"^\| A46b \| off \|", rows, re.MULTILINE)
    assert _shown(own).endswith(": active")
    assert b"Kari" not in _events(own)


def test_policy_switch_off_of_a_row_of_control_exits_1_and_says_why(own: Installed) -> None:
    told = _as(own, "anne", "policy", "switch-off", "A24", reason="r")

    assert told.code == 1
    assert told.err.startswith("inbox: policy.takes_two: ")
    assert "policy_approve" in told.err


@pytest.mark.parametrize(
    ("person", "words", "code"),
    [
        ("bjorn", ("policy", "propose"), "not_permitted"),
        ("anne", ("policy", "approve", "0" * 32), "not_permitted"),
        ("anne", ("policy", "activate", "0" * 64), "policy.no_approved"),
        ("bjorn", ("policy", "activate", "0" * 64), "not_permitted"),
        ("anne", ("route", "activate", "0" * 64), "route.no_approved"),
    ],
)
def test_refused_policy_and_route_steps_exit_1_with_a_code(
    own: Installed, person: str, words: tuple[str, ...], code: str
) -> None:
    _change(own)

    told = _as(own, person, *words)

    assert told.code == 1
    assert told.err.startswith(f"inbox: {code}: ")


def test_policy_switch_off_by_a_reviewer_is_not_permitted(own: Installed) -> None:
    told = _as(own, "bjorn", "policy", "switch-off", "A46b", reason="r")

    assert (told.code, told.err.startswith("inbox: not_permitted: ")) == (1, True)
    assert len(_history(own)) == 1


def test_policy_approve_by_the_proposer_is_refused(own: Installed) -> None:
    _change(own)
    proposal, acknowledge = _proposed(own)

    told = _as(own, "anne", "policy", "approve", proposal, "--acknowledge", acknowledge)

    assert told.err.startswith("inbox: proposal.own: ")
    assert told.code == 1


def test_policy_propose_with_a_wrong_personal_code_is_refused(own: Installed) -> None:
    _change(own)

    told = own.ask("policy", "propose", "--by", "anne", "--code-from-stdin", stdin="wrong\n")

    assert told.code == 1
    assert told.err.startswith("inbox: code.wrong: ")
    assert len(_history(own)) == 1


def test_policy_roll_back_without_a_reason_exits_2(own: Installed) -> None:
    told = _as(own, "anne", "policy", "roll-back")

    assert told.code == 2
    assert told.err.startswith("inbox: reason.missing: ")


def test_policy_propose_with_an_invalid_folder_is_refused(own: Installed) -> None:
    _change(own, text="p, A99, no_such_action, archivist, always, none, allow\n")

    told = _as(own, "anne", "policy", "propose")

    assert told.code == 2
    assert "allow.csv" in told.err
    assert len(_history(own)) == 1


def test_policy_show_of_an_unknown_digest_exits_1(own: Installed) -> None:
    told = own.ask("policy", "show", "--digest", "0" * 64)

    assert told.code == 1
    assert "policy.no_version" in told.err


def test_build_line_refuses_a_gateway_for_an_organisation_without_active_rules(
    installed: Installed,
) -> None:
    channel = 'channel = "eformidling"\nurl = "http://127.0.0.1:9"\nallow_insecure = true\n'
    text = installed.config.read_text()
    for organisation in (OURS, "910076787"):
        installed.config.write_text(
            f'{text}\n[[gateways]]\n{channel}organisations = ["{organisation}"]\n'
        )
        settings = read_settings({}, installed.config)
        if organisation == OURS:
            assert build_line(settings).gateways
            continue
        with pytest.raises(ConfigurationError, match=r"route\.no_book.*910076787"):
            build_line(settings)
