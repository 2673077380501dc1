"""`inbox doctor` on a small real installation: first nothing wrong, then one fault at a time."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from sqlmodel import col
from typer.testing import CliRunner, Result

from inbox.cli import app
from inbox.config import read_settings
from inbox.directory import enrol_first_people, import_agreed
from inbox.directory.format.toml_file import read_directory
from inbox.domain import OrgNumber
from inbox.health.condition import Level
from inbox.keys import create_keys
from inbox.migrations import shipped_folder
from inbox.simulator.gateway.simulator import GatewaySimulator
from inbox.simulator.http.server import serve
from inbox.simulator.packages.certificates import TestAuthority
from inbox.store import Store
from inbox.tables import ActivePolicy, CapacityRow, Installation, Pulse, Unit, table_of
from inbox.wiring import build_line_before_rules
from tests import databases, municipality, worlds

USER, PASSWORD = "inbox", "a-password-of-the-tests"
PEOPLE_OF_PPT = b"""
[[capacity]]
person = "kari"
unit = "ppt"
role = "leader"
[[capacity]]
person = "ola"
unit = "ppt"
role = "handler"
"""
FIRST_PEOPLE = {"anne": "Anne Arkivar", "bjorn": "Bjorn Arkivar"}


@dataclass
class Place:
    """An installation in a folder, and the gateway beside it."""

    folder: Path
    store: Store
    authority: TestAuthority
    gateway: GatewaySimulator
    url: str
    gateway_ahead: timedelta = field(default_factory=timedelta)

    @property
    def config(self) -> Path:
        """The TOML file."""
        return self.folder / "inbox.toml"

    def doctor(self, *options: str) -> Result:
        """Run the command as an operator does."""
        return CliRunner().invoke(app, ["--config", str(self.config), "doctor", *options])

    def found(self, level: Level) -> dict[str, str]:
        """What it means, by subject, of everything at this level."""
        lines = json.loads(self.doctor("--json").output)
        return {each["subject"]: each["means"] for each in lines if each["level"] == level}

    def change(self, statement: sa.Update | sa.Delete) -> None:
        """Spoil the database."""
        with self.store.transaction() as tx:
            tx.execute(statement)

    def swap(self, old: str, new: str) -> None:
        """Spoil the configuration."""
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An installation as the documentation makes it, with a worker that has just worked."""
    authority = TestAuthority()
    _make_folders(tmp_path, authority)
    made = list[Place]()
    gateway = GatewaySimulator(
        credentials=(USER, PASSWORD),
        clock=lambda: datetime.now(UTC) + (made[0].gateway_ahead if made else timedelta(0)),
    )
    with serve(gateway.app) as url:
        (tmp_path / "inbox.toml").write_text(_toml(tmp_path, url))
        line = build_line_before_rules(read_settings({}, tmp_path / "inbox.toml"))
        with line.store.transaction() as tx:
            enrol_first_people(
                tx,
                organisation=OrgNumber(worlds.OURS),
                people=FIRST_PEOPLE,
                desk=("desk", "Dokumentsenteret"),
                digest=worlds._policies()[1].digest,
            )
            worlds.begin_rules(tx)
            tx.add(Pulse(name="worker", at=tx.now))
        directory = read_directory(municipality.DIRECTORY + PEOPLE_OF_PPT)
        with line.store.transaction() as tx:
            import_agreed(line, tx, directory, approved_by="anne+bjorn")
        made.append(
            Place(folder=tmp_path, store=line.store, authority=authority, gateway=gateway, url=url)
        )
        yield made[0]
    line.store.engine.dispose()


def _make_folders(folder: Path, authority: TestAuthority) -> None:
    now = datetime.now(UTC)
    shutil.copytree(shipped_folder("policies"), folder / "policies")
    (folder / "policies" / "routing" / f"{worlds.OURS}.toml").write_bytes(municipality.RULES)
    (folder / "vault").mkdir(mode=0o700)
    (folder / "trust").mkdir()
    (folder / "trust" / "root.pem").write_bytes(authority.root_pem())
    (folder / "trust" / "root.crl").write_bytes(authority.crl(now))
    (folder / "password").write_text(PASSWORD)
    create_keys(folder / "keys", now)
    databases.sqlite_database(folder)
    (folder / "inbox.db").chmod(0o600)


def _toml(folder: Path, url: str) -> str:
    return f"""
database = "sqlite:///{folder}/inbox.db"
vault = "{folder}/vault"
keys = "{folder}/keys"
policies = "{folder}/policies"
trust = "{folder}/trust"
checkpoints = "{folder}/checkpoints.txt"

[terms]
free_gigabytes = 0

[[gateways]]
channel = "eformidling"
url = "{url}"
user = "{USER}"
password_file = "{folder}/password"
organisations = ["{worlds.OURS}"]

[[webhook_targets]]
host = "127.0.0.1"
port = 9
networks = ["127.0.0.0/8"]
"""


def _open_a_key_to_the_group(place: Place) -> None:
    (place.folder / "keys" / "lookup.key").chmod(0o640)


def _unmount_the_vault(place: Place) -> None:
    (place.folder / "vault").rmdir()


def _exchange_the_keys(place: Place) -> None:
    shutil.rmtree(place.folder / "keys")
    create_keys(place.folder / "keys", datetime.now(UTC))


def _empty_the_database(place: Place) -> None:
    place.swap("inbox.db", "empty.db")


def _activate_another_policy(place: Place) -> None:
    of_the_policy = col(ActivePolicy.kind) == "policy"
    place.change(sa.update(table_of(ActivePolicy)).where(of_the_policy).values(digest="0" * 64))


def _break_an_access_rule(place: Place) -> None:
    with (place.folder / "policies" / "allow.csv").open("a") as file:
        file.write("p, A99, no_such_action, archivist, true, -, allow\n")


def _take_the_people_of_a_unit(place: Place) -> None:
    place.change(sa.delete(table_of(CapacityRow)).where(col(CapacityRow.unit) == "bv"))


def _take_an_archivist(place: Place) -> None:
    place.change(
        sa.delete(table_of(CapacityRow)).where(
            col(CapacityRow.person) == "bjorn", col(CapacityRow.role) == "archivist"
        )
    )


def _take_the_reviewer(place: Place) -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    reviewers = col(CapacityRow.role) == "security_reviewer"
    place.change(sa.update(table_of(CapacityRow)).where(reviewers).values(active_until=ended))


def _take_the_case_system_of_a_unit(place: Place) -> None:
    place.change(sa.update(table_of(Unit)).where(col(Unit.id) == "ppt").values(case_system=None))


def _end_a_unit(place: Place) -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    place.change(sa.update(table_of(Unit)).where(col(Unit.id) == "bv").values(active_until=ended))


def _take_the_rule_book(place: Place) -> None:
    of_a_book = col(ActivePolicy.kind).startswith("route:")
    place.change(sa.delete(table_of(ActivePolicy)).where(of_a_book))


def _list_another_target(place: Place) -> None:
    place.swap("port = 9\n", "port = 10\n")


def _forget_the_password(place: Place) -> None:
    (place.folder / "password").write_text("a-wrong-password")


def _stop_the_gateway(place: Place) -> None:
    place.swap(place.url, "http://127.0.0.1:1")


def _move_the_gateways_clock(place: Place) -> None:
    place.gateway_ahead = timedelta(hours=1)


def _leave_the_list_to_age(place: Place) -> None:
    old = place.authority.crl(datetime.now(UTC) - timedelta(days=30))
    (place.folder / "trust" / "root.crl").write_bytes(old)


def _take_the_anchors(place: Place) -> None:
    (place.folder / "trust" / "root.pem").unlink()


def _take_the_folder_of_checkpoints(place: Place) -> None:
    place.swap("checkpoints.txt", "nowhere/checkpoints.txt")


def _stop_the_worker(place: Place) -> None:
    stopped = datetime.now(UTC) - timedelta(hours=1)
    place.change(sa.update(table_of(Pulse)).values(at=stopped))


def _register_elsewhere(place: Place) -> None:
    place.gateway.registry(worlds.OURS, None)


def _take_no_password_care(place: Place) -> None:
    place.swap('user = "inbox"', 'allow_insecure = true\nuser = "inbox"')


# The gateways' clients are closed by the end of the process, as those of every command.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

Plant = Callable[[Place], None]
OURS: Final = worlds.OURS
FAULTS: Final[dict[Plant, tuple[Level, str, str, str]]] = {
    _open_a_key_to_the_group: (
        Level.WRONG,
        "keys",
        "keys.readable",
        "lookup.key is open",
    ),
    _unmount_the_vault: (Level.WRONG, "vault", "vault.no_folder", "mount its disk"),
    _exchange_the_keys: (Level.WRONG, "keys", "keys.not_these", "not the keys of this database"),
    _empty_the_database: (Level.WRONG, "database", "database.empty", "inbox database upgrade"),
    _activate_another_policy: (Level.WRONG, "policies", "policy.nobody", "everything is denied"),
    _break_an_access_rule: (Level.WRONG, "policies", "policy.rows_differ", "allow.csv"),
    _take_the_people_of_a_unit: (Level.WRONG, "unit:bv", "unit.no_leader", "import a leader"),
    _take_an_archivist: (Level.WRONG, "desk:desk", "desk.few_archivists", "it has 1"),
    _take_the_reviewer: (Level.WRONG, "reviewers", "reviewers.none", "never let the last one go"),
    _take_the_case_system_of_a_unit: (Level.WRONG, "unit:ppt", "unit.no_case_system", "by_hand"),
    _end_a_unit: (Level.WRONG, f"routing:{OURS}", "route.not_living", "«bv»"),
    _take_the_rule_book: (Level.WRONG, f"routing:{OURS}", "route.no_book", f"routing/{OURS}.toml"),
    _list_another_target: (
        Level.WRONG,
        "case_system:sak",
        "webhook.not_listed",
        "[[webhook_targets]]",
    ),
    _forget_the_password: (
        Level.WRONG,
        "gateway:eformidling",
        "gateway.unauthorised",
        "check user and password_file",
    ),
    _stop_the_gateway: (
        Level.WRONG,
        "gateway:eformidling",
        "gateway.unavailable",
        "see that the integrasjonspunkt runs",
    ),
    _move_the_gateways_clock: (Level.WRONG, "clock:eformidling", "clock.differs", "time server"),
    _leave_the_list_to_age: (Level.UNREADY, "trust:CN=", "trust.stale_list", "too old"),
    _take_the_anchors: (Level.WRONG, "trust", "trust.nobody", "no anchor"),
    _take_the_folder_of_checkpoints: (
        Level.WRONG,
        "checkpoints",
        "checkpoints.unwritable",
        "cannot be written",
    ),
    _stop_the_worker: (Level.WARNING, "worker", "worker.silent", "no worker has worked lately"),
    _take_no_password_care: (
        Level.WARNING,
        "gateway:eformidling",
        "gateway.insecure",
        "allow_insecure",
    ),
    _register_elsewhere: (
        Level.WRONG,
        "gateway:eformidling",
        "gateway.not_registered",
        "no sender can send it to us there",
    ),
}


def test_doctor_finds_nothing_wrong_in_a_sound_installation(place: Place) -> None:
    result = place.doctor("--json")

    assert [each for each in json.loads(result.output) if each["level"] != "ok"] == []
    assert result.exit_code == 0


_SAMPLE = [
    plant if number % 4 == 0 else pytest.param(plant, marks=pytest.mark.long)
    for number, plant in enumerate(FAULTS)
]


@pytest.mark.parametrize("plant", _SAMPLE, ids=lambda plant: plant.__name__.strip("_"))
def test_doctor_reports_each_planted_fault_and_exits_1_only_for_wrong(
    place: Place, plant: Plant
) -> None:
    level, subject, code, says = FAULTS[plant]
    plant(place)

    result = place.doctor("--json")

    found = [each for each in json.loads(result.output) if each["level"] not in ("ok", "skipped")]
    about = [each for each in found if each["subject"].startswith(subject)]
    assert [each["level"] for each in about if each["code"] == code] == [level], found
    assert says in json.dumps(about, ensure_ascii=False)
    bad = {each["subject"] for each in found if each["level"] in ("wrong", "unready")}
    assert {each for each in bad if not each.startswith(subject)} == set()
    assert result.exit_code == (0 if level is Level.WARNING else 1)


def _follows(place: Place, unit: str, by: str) -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    passive = sa.update(table_of(Unit)).where(col(Unit.id) == unit)
    place.change(passive.values(active_until=ended, successor=by))


def test_doctor_checks_the_successor_instead_of_a_passive_unit(place: Place) -> None:
    _follows(place, "bv", "ppt")
    _follows(place, "desk", "ppt")

    found = json.loads(place.doctor("--json").output)

    wrong = [(each["subject"], each["code"]) for each in found if each["level"] == "wrong"]
    assert wrong == [("desk:ppt", "desk.few_archivists")]
    units = [each["subject"] for each in found if each["subject"].startswith("unit:")]
    assert units.count("unit:ppt") == 1
    assert "unit:bv" not in units


def test_doctor_reports_a_successor_cycle_of_ended_units_under_routing(place: Place) -> None:
    _follows(place, "bv", "ppt")
    _follows(place, "ppt", "bv")

    assert place.found(Level.WRONG).keys() == {f"routing:{OURS}"}


def test_doctor_reports_several_faults_in_one_run(place: Place) -> None:
    planted = (_forget_the_password, _take_the_anchors, _unmount_the_vault, _take_an_archivist)
    for plant in planted:
        plant(place)

    assert place.found(Level.WRONG).keys() == {FAULTS[plant][1] for plant in planted}


def test_doctor_locks_no_message_at_the_gateway(place: Place) -> None:
    place.doctor()

    asked = {(seen.method, seen.path) for seen in place.gateway.journal}
    assert asked
    assert {method for method, _ in asked} == {"GET"}
    assert not {path for _, path in asked if path.startswith("/api/messages")}


def test_doctor_output_contains_no_secret_or_personal_name(place: Place) -> None:
    for plant in (_forget_the_password, _take_an_archivist, _take_the_people_of_a_unit):
        plant(place)
    secrets = [path.read_text().strip() for path in (place.folder / "keys").glob("*.key")]

    told = place.doctor().output + place.doctor("--json").output

    assert len(secrets) == 3
    for secret in (*secrets, PASSWORD, "a-wrong-password", *FIRST_PEOPLE.values(), "Kari Leder"):
        assert secret not in told


def test_doctor_changes_neither_database_nor_vault(place: Place) -> None:
    with place.store.reading() as tx:
        before = tx.get_one(Installation, 1).key_proof
    vault = sorted((place.folder / "vault").rglob("*"))

    place.doctor()

    with place.store.reading() as tx:
        assert tx.get_one(Installation, 1).key_proof == before
    assert not [path for path in sorted((place.folder / "vault").rglob("*")) if path.is_file()]
    assert vault == []
