"""The directory of units, people and their capacities.

It covers directory files, changes, enrolment, and how a person signs in.
"""

from inbox.directory.apply import import_agreed
from inbox.directory.people import (
    check_code,
    check_nobody_is_enrolled,
    enrol_first_people,
    is_code_valid,
    issue_code,
    new_code,
    replace_code,
    sign_in_as,
    verified_capacities,
)

__all__ = [
    "check_code",
    "check_nobody_is_enrolled",
    "enrol_first_people",
    "import_agreed",
    "is_code_valid",
    "issue_code",
    "new_code",
    "replace_code",
    "sign_in_as",
    "verified_capacities",
]
