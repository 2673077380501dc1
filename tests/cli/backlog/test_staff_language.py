"""What archive staff, handlers, leaders and reviewers meet is in their language; commands as a day.

Each command of the program is for them, and speaks three languages, or for operators, vendors and
developers, and is English. A command that stands in neither list fails.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from inbox.access.policy.names import program_vocabulary
from inbox.days import day_of
from inbox.directory import import_agreed
from inbox.directory.format.toml_file import read_directory
from inbox.line.task_kinds import TaskKind
from inbox.simulator.packages.arkivmelding import arkivmelding_xml
from inbox.tables import Message
from tests.cli.backlog.office import REASON, Office, task_of
from tests.cli.backlog.staff_commands import SPEAKING, commands
from tests.cli.installation import OURS, Answer, Installed
from tests.cli.rule_edits import BOOK, CASES, COMMENT, DIRECTORY_FILE
from tests.prose.norwegian import BOKMAAL

IN_ENGLISH: Final = {
    *("demo", "sandbox", "new", "init", "serve", "work", "doctor", "watch", "restore"),
    *(f"keys {each}" for each in ("create", "add", "list", "rotate")),
    *(f"database {each}" for each in ("upgrade", "version")),
    *(f"audit {each}" for each in ("verify", "export", "prove", "key")),
    *(f"config {each}" for each in ("show", "check", "digests")),
    *("package make", "delivery send-again"),
}
"""For operators, vendors and developers."""
WORDLESS: Final = {
    *("message note", "directory code", "directory own-code", "directory binding-code"),
    "directory export",
}
"""They print an id, a code or a file: only their questions speak a language."""
SUBSTITUTE: Final = b"""
organisation = "910075918"

[[person]]
id = "nina"
name = "Nina Vikar"

[[capacity]]
person = "nina"
unit = "bv"
role = "handler"
"""
TRIED_ELSEWHERE: Final = {"package inspect"}
ENGLISH: Final = re.compile(
    r"\b(the|of|by|is|are|was|and|not|may|who|nobody|another|until|with|from|yet|two|this|that|it"
    r"|as|in|on|taken|assigned|registered|routed|released|withdrawn|handed|received|approved|ended"
    r"|reviewed|closed|announced|chosen|answered|proposed|active|switched|wrong|note|finding|state"
    r"|kind|unit|age|expires|written|answered|acknowledge|sender|reason|version|project|rule|rules"
    r"|message|messages|event|task|delivery|word|needs|rows|differ|row|changed|names)\b",
    re.IGNORECASE,
)
_CODES: Final = re.compile(
    r"`[^`]*`|«[^»]*»|\([a-z_0-9]+\)|^acknowledge: \w+$|inbox( [a-z-]+)+|--[a-z-]+"
    r"|[\w-]+[._:][\w.:-]+|\b[A-Z]{4,}\b",
    re.MULTILINE,
)
"""What is the same in every language: commands, options, names that somebody gave, codes."""
_BASES: Final = re.compile(
    r"^.*(heimel|\((gdpr|fvl|bvl|arkiv|noark|efvf|offl)[\w-]*\)).*$", re.MULTILINE
)
"""A legal basis is named in bokmål in nynorsk, too, as most acts are."""


@dataclass
class Day:
    """What each command said, in one language."""

    language: str
    said: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def words(self, command: str) -> list[str]:
        return [*command.split(), "--language", self.language]

    def hear(self, command: str, answer: Answer, code: int = 0) -> str:
        assert answer.code == code, (command, answer)
        self.said[" ".join(command.split()[:2])].append(answer.out)
        return answer.out


def _day(ahead: int) -> str:
    return (day_of(datetime.now(UTC)) + timedelta(days=ahead)).isoformat()


def in_the_office(office: Office, day: Day) -> None:
    """Mail is placed, held, assigned, withdrawn, refused and given up; access is given."""

    def does(by: str, command: str, reason: str | None = None, code: int = 0) -> str:
        return day.hear(command, office.says(by, *day.words(command), reason=reason), code)

    def shows(command: str) -> str:
        return day.hear(command, office.ask(*day.words(command)))

    first = office.arrived("Om noe annet").id
    does("anne", "message list --as archivist --action route")
    does("anne", "message list --as archivist --action route --counts")
    does("anne", f"message hold {first} --as archivist --because sender_asked --to {_day(3)}")
    does("anne", f"message note {first} --as archivist", reason="Ring avsendar")
    does("anne", f"message notes {first} --as archivist")
    does("anne", f"message end-hold {first} --as archivist")
    does("anne", f"message place {first} --to skole")
    does("kari", f"message hand-back {first} --as leader@skole", reason=REASON)
    does("anne", f"message place {first} --to skole --at-once")
    does("anne", f"message undo {first} --as archivist")
    does("rita", "access figures skole --as records_manager")
    pupil, same = office.arrived("Om en elev").id, office.arrived("Om en elev").id
    does("kari", f"message release {pupil} --as leader@skole")
    does("kari", f"message withdraw {pupil} --as leader@skole", reason=REASON)
    does("kari", f"message assign {pupil} --to ola --as leader@skole")
    does("ola", f"message register {pupil} --as handler@skole", reason="2026/000007-1")
    does("anne", f"message duplicate {same} --of {pupil}")
    _refused_and_held(office, day)
    _missed_and_unanswered(office, day)
    third = office.arrived("Om en elev igjen").id
    other = office.arrived("Om en annen elev").id
    ask = f"access ask {other} --as handler@skole"
    request = does("ola", ask, reason="Same familie").split()[-1]
    does("kari", f"access requests {other} --as leader@skole")
    does("kari", f"access decline {request} --as leader@skole")
    request = does("ola", ask, reason="Same familie").split()[-1]
    does("ola", "access requests --as handler@skole")
    does("kari", f"access accept {request} --days 7 --as leader@skole", reason="Avtalt")
    does("ola", f"message take {third} --as handler@skole")
    for what in ("message list", "task list", "delivery list", "receipt list", "arrival list"):
        shows(what)
    for what in (f"message show {third}", "message erasures", "message missed"):
        shows(what)
    stuck = task_of(office, TaskKind.STUCK, third)
    shows(f"task show {stuck}")
    does("odd", f"task close {stuck}", REASON)
    _open_to_others(office, day)
    asked = f"--message {third} --action open --person ola --as security_reviewer"
    does("siv", f"policy explain {asked}")
    does("siv", f"policy who-can list {third} --as security_reviewer")
    does("siv", "policy what-can ola --as security_reviewer")
    does("ola", f"message declare-conflict {third} --about message --as handler@skole")
    conflict = does("kari", "access conflicts --as leader@skole").splitlines()[-1].split()[0]
    does("kari", f"access propose-conflict-end {conflict} --as leader@skole", REASON)


def _open_to_others(office: Office, day: Day) -> None:
    def does(by: str, command: str, reason: str | None = None) -> str:
        return day.hear(command, office.says(by, *day.words(command), reason=reason))

    child = office.arrived("Melding om barnevern").id
    command = f"delivery show {office.world.delivery(child).id}"
    day.hear(command, office.ask(*day.words(command)))
    with office.world.line.store.transaction() as tx:
        directory = read_directory(SUBSTITUTE)
        import_agreed(office.world.line, tx, directory, approved_by="anne+bjorn")
    does("kari", f"access delegate ola nina --to {_day(30)} --as leader@bv")
    given = does("kari", f"access grant {child} --to ola --days 7 --as leader@bv", REASON)
    does("kari", "access list --as leader@bv")
    does("kari", f"access end {given.split()[0]} --as leader@bv", REASON)
    taken = does("nina", f"access breakglass {child} --as handler@bv", REASON)
    does("siv", f"access review {taken.split()[0]} --outcome upheld", REASON)


def _refused_and_held(office: Office, day: Day) -> None:
    def does(by: str, command: str, reason: str | None = None) -> str:
        return day.hear(command, office.says(by, *day.words(command), reason=reason))

    refused = office.arrived("Om noe helt annet").id
    command = f"message propose-refusal {refused} --code not_for_us --as archivist"
    proposal = does("anne", command, REASON).partition(":")[0]
    day.hear("proposal list", office.ask(*day.words("proposal list")))
    does("bjorn", f"proposal show {proposal} --as archivist")
    does("bjorn", f"proposal approve {proposal} --as archivist")
    other = office.arrived("Om noe ganske annet").id
    command = f"message propose-refusal {other} --code not_for_us --as archivist"
    proposal = does("anne", command, REASON).partition(":")[0]
    does("bjorn", f"proposal decline {proposal} --as archivist", REASON)
    proposal = does("anne", command, REASON).partition(":")[0]
    does("anne", f"proposal take-back {proposal} --as archivist")
    graded = b"<gradering>Hemmelig</gradering><klassifikasjon>"
    letter = arkivmelding_xml().replace(b"<klassifikasjon>", graded, 1)[:-5]
    wire_id = office.world.send(parcel={"arkivmelding": letter})
    office.work()
    held = office.world.message(wire_id)
    command = f"message propose-release {held.id} --as archivist --waive {held.code}"
    proposal = does("anne", command, REASON).partition(":")[0]
    does("anne", f"message held {held.id} --as archivist")
    does("siv", f"message approve-release {proposal} --as security_reviewer")
    wire_id = office.world.send(parcel={"arkivmelding": letter})
    office.work()
    does("anne", f"message recheck {office.world.message(wire_id).id}")
    collected = office.collected("sakkyndig")
    command = f"message propose-withdrawal {collected.id} --as archivist"
    proposal = does("anne", command, REASON).partition(":")[0]
    does("bjorn", f"proposal approve {proposal} --as archivist")
    office.registered(collected)
    (late,) = office.value("task", "list", "--kind", "late_word")["tasks"]
    does("anne", f"message propose-dismissal {collected.id} --as archivist", REASON)
    with office.world.line.store.transaction() as tx:
        tx.get_one(Message, collected.id).unit = "skole"
    office.world.edited = True
    does("kari", f"task word {late['id']} --as leader@skole")


def _missed_and_unanswered(office: Office, day: Day) -> None:
    def does(by: str, command: str, reason: str | None = None) -> str:
        return day.hear(command, office.says(by, *day.words(command), reason=reason))

    arrival = office.world.arrival(office.missed()).id
    does("anne", f"arrival show {arrival}")
    does("anne", "task list --as archivist")
    does("anne", f"arrival propose-abandon {arrival}", REASON)
    does("anne", f"arrival fetch-again {arrival}")
    message = office.unanswerable()
    does("anne", f"receipt send-again {message.id}", REASON)
    office.work()
    does("anne", f"receipt accept {message.id}", REASON)


def with_the_rules(own: Installed, day: Day) -> None:
    """Rules and the directory are checked, proposed, approved and rolled back."""

    def does(by: str, command: str, reason: str = "", code: int = 0) -> str:
        typed = f"{own.codes[by]}\n{reason}\n"
        words = (*day.words(command), "--by", by, "--code-from-stdin")
        return day.hear(command, own.ask(*words, stdin=typed), code)

    def shows(command: str, code: int = 0) -> str:
        return day.hear(command, own.ask(*day.words(command)), code)

    policies = own.folder / "policies"
    (policies / "tests" / "routing.toml").write_text(CASES)
    (policies / "routing" / f"{OURS}.toml").write_text(BOOK)
    (policies / "allow.csv").write_text((policies / "allow.csv").read_text() + COMMENT)
    for group, codes in (("policy", (0, 0, 0)), ("route", (0, 0, 0))):
        for name, code in zip(("lint", "test", "show"), codes, strict=True):
            shows(f"{group} {name}", code)
        shows(f"{group} diff {policies} {policies}")
    shows("policy prove")
    shows("policy vocabulary")
    shows(f"route explain --sender 312100010 --receiver {OURS}")
    does("anne", "route simulate --as archivist")
    for group in ("policy", "route"):
        proposed = does("anne", f"{group} propose")
        proposal = re.findall(r"\b[0-9a-f]{32}\b", proposed)[-1]
        looked = does("bjorn", f"{group} approve {proposal}", code=1)
        (acknowledge,) = re.findall(r"^acknowledge: (\w+)$", looked, re.MULTILINE)
        approved = does("bjorn", f"{group} approve {proposal} --acknowledge {acknowledge}")
        does("anne", f"{group} activate {approved.split()[-1]}")
        does("anne", f"{group} switch-off {'A46b' if group == 'policy' else 'politi'}", REASON)
        does("anne", f"{group} roll-back", REASON, code=1)
    shows("policy history")
    shows(f"route history {OURS}")
    _with_the_directory(own, day)


def _with_the_directory(own: Installed, day: Day) -> None:
    file = own.folder / "directory.toml"
    file.write_text(DIRECTORY_FILE)

    def does(by: str, command: str) -> str:
        words = (*day.words(command), "--by", by, "--code-from-stdin")
        return day.hear(command, own.ask(*words, stdin=f"{own.codes[by]}\n"))

    day.hear("directory diff", own.ask(*day.words(f"directory diff {file}")))
    proposed = does("anne", f"directory import {file}")
    (proposal,) = re.findall(r"\b[0-9a-f]{32}\b", proposed)
    (digest,) = re.findall(r"\b[0-9a-f]{64}\b", proposed)
    does("bjorn", f"directory approve {proposal}")
    does("bjorn", f"directory approve {proposal} --acknowledge {digest}")
    day.hear("directory show", own.ask(*day.words("directory show")))
    does("anne", "directory export")
    day.hear("directory binding-code", own.as_two(*day.words("directory binding-code anne")))
    day.hear("directory code", own.as_two(*day.words("directory code anne")))
    typed = f"{own.codes['bjorn']}\n"
    words = (*day.words("directory own-code"), "--by", "bjorn", "--code-from-stdin")
    day.hear("directory own-code", own.ask(*words, stdin=typed))


def english_words(command: str, said: list[str]) -> list[str]:
    """The English words in what a command said; the vocabulary is a list of names as well."""
    text = _CODES.sub(" ", "\n".join(said))
    names = program_vocabulary().names.keys() if command == "policy vocabulary" else ()
    return sorted({word for word in ENGLISH.findall(text) if word not in names})


def test_every_command_is_in_three_languages_or_is_for_operators() -> None:
    every = {words for words, _ in commands()}
    speaking = {
        words
        for words, command in commands()
        if any("--language" in option.opts for option in command.params)
    }

    assert speaking == SPEAKING
    assert every - speaking == IN_ENGLISH


@pytest.mark.parametrize(
    "language",
    ["nn", pytest.param("nb", marks=pytest.mark.long), pytest.param("en", marks=pytest.mark.long)],
)
def test_commands_of_staff_speak_the_language_that_was_chosen(
    office: Office, own: Installed, language: str
) -> None:
    day = Day(language)

    in_the_office(office, day)
    with_the_rules(own, day)

    assert day.said.keys() == SPEAKING - TRIED_ELSEWHERE
    worded = {name: out for name, out in day.said.items() if name not in WORDLESS}
    english = {name: words for name in worded if (words := english_words(name, worded[name]))}
    if language == "en":
        assert english.keys() == worded.keys()
        return
    assert english == {}
    assert {name for name, out in day.said.items() if not "".join(out).strip()} == set()
    if language == "nn":
        said = {
            name: _CODES.sub(" ", _BASES.sub("", "\n".join(out))) for name, out in day.said.items()
        }
        found = {name: sorted({*BOKMAAL.findall(text)}) for name, text in said.items()}
        assert {name: words for name, words in found.items() if words} == {}
