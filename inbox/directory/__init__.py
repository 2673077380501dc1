"""Units, people and what they may stand for: files, changes, enrolment, and who somebody is."""

from inbox.directory.people import act_as, capacities_of, enrol_first_people, give_code, proves
from inbox.directory.taking import take_in

__all__ = ["act_as", "capacities_of", "enrol_first_people", "give_code", "proves", "take_in"]
