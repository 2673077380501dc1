"""The directory file: units, people, capacities and case systems in TOML, read strictly."""

import tomllib
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inbox.access.words import Role
from inbox.errors import Invalid
from inbox.message import Mode

_ID: Final = r"^[a-z0-9][a-z0-9-]{0,30}$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListedSystem(_Part):
    """A case system."""

    id: str = Field(pattern=_ID)
    name: str
    mode: Mode
    webhook_url: str | None = None


class ListedUnit(_Part):
    """An organisational unit."""

    id: str = Field(pattern=_ID)
    name: str
    case_system: str | None = None
    shares_unassigned: bool = False


class ListedPerson(_Part):
    """Somebody who works here."""

    id: str = Field(pattern=_ID)
    name: str


class ListedCapacity(_Part):
    """A person in a role in a unit."""

    person: str
    unit: str
    role: Role


class ListedClearance(_Part):
    """A person may see what is shielded under a code."""

    person: str
    shielding: str


class ListedReference(_Part):
    """A case of ours, and the unit that has it."""

    counterparty: str = Field(pattern=r"^[0-9]{9}$")
    reference: str
    unit: str


class Directory(_Part):
    """What a directory file says; the file's keys are these names in the singular."""

    organisation: str = Field(pattern=r"^[0-9]{9}$")
    case_systems: tuple[ListedSystem, ...] = Field(default=(), alias="case_system")
    units: tuple[ListedUnit, ...] = Field(default=(), alias="unit")
    people: tuple[ListedPerson, ...] = Field(default=(), alias="person")
    capacities: tuple[ListedCapacity, ...] = Field(default=(), alias="capacity")
    clearances: tuple[ListedClearance, ...] = Field(default=(), alias="clearance")
    references: tuple[ListedReference, ...] = Field(default=(), alias="reference")


def read_directory(raw: bytes) -> Directory:
    """The directory in a TOML file. Raises `Invalid` that names the key, never the value."""
    try:
        return Directory.model_validate(tomllib.loads(raw.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid("directory.toml", "the file is not TOML in UTF-8") from error
    except ValidationError as error:
        told = [
            f"{'.'.join(str(part) for part in wrong['loc'])}: {wrong['msg']}"
            for wrong in error.errors(include_input=False, include_url=False)
        ]
        raise Invalid("directory.invalid", "; ".join(told)) from error
