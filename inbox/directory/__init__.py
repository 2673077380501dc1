"""Units, people and what they may stand for: files, changes, enrolment, and who somebody is."""

from inbox.directory.apply import take_in
from inbox.directory.people import act_as, enrol_first_people, give_code, proved_capacities, proves

__all__ = ["act_as", "enrol_first_people", "give_code", "proved_capacities", "proves", "take_in"]
