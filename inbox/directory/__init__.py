"""Units, people and what they may stand for: files, changes, enrolment, and who somebody is."""

from inbox.directory.people import act_as, enrol_first_people, give_code, proved_capacities, proves
from inbox.directory.taking import take_in

__all__ = ["act_as", "enrol_first_people", "give_code", "proved_capacities", "proves", "take_in"]
