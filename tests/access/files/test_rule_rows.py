"""The rows of `allow.csv` and `deny.csv`: what they may say, and what a refusal of one says."""

import pytest

from inbox.access.facts.registry import fact_names_of
from inbox.access.files.folder import read_draft
from inbox.access.question import OfGrant
from inbox.errors import PolicyError
from tests.access.town import policy_files

A09 = b"p, A09, open, handler, in_unit and assigned and cleared and readable, log, allow"


def draft_of(old: bytes, new: bytes, file: str = "allow.csv") -> None:
    files = policy_files()
    assert old in files[file]
    read_draft(files | {file: files[file].replace(old, new, 1)})


def test_allow_row_may_use_every_fact_of_its_subject_and_every_duty() -> None:
    everything = " and ".join(sorted(fact_names_of(OfGrant)))
    old = b"access_review, security_reviewer, strong_auth, log, allow"

    draft_of(old, f"access_review, security_reviewer, {everything}, log, allow".encode())
    draft_of(old, old.replace(b", log,", b", log notify reason review,"))


def test_refused_row_names_the_unknown_facts_or_the_whole_combination() -> None:
    old = b"security_reviewer operator records_manager, own_task"
    for new, said in (
        (old + b" and involved", "read «close_task: involved»"),
        (old + b" and involved and missed", "read «close_task: involved missed»"),
    ):
        with pytest.raises(PolicyError, match=said):
            draft_of(old, new)
    old = b"route, archivist, mailbox"
    with pytest.raises(PolicyError, match="read «route: mailbox missed unrouted»"):
        draft_of(old, old + b" and missed and unrouted")


def test_refused_rule_id_says_with_which_letter_it_must_begin() -> None:
    with pytest.raises(PolicyError, match="read «A9»; allowed: such as A01 or A01b$"):
        draft_of(A09, A09.replace(b"A09", b"A9"))
    with pytest.raises(PolicyError, match="read «A03»; allowed: such as D01 or D01b$"):
        draft_of(b"p, D03, ", b"p, A03, ", "deny.csv")


def test_wildcard_duty_is_refused_and_the_wildcard_offered_only_where_allowed() -> None:
    with pytest.raises(PolicyError, match=r"read «\*»; allowed: log, reason, notify, review$"):
        draft_of(A09, A09.replace(b", log,", b", *,"))
    with pytest.raises(PolicyError, match=r"allowed: archivist, .*, case_system$"):
        draft_of(A09, A09.replace(b"handler", b"boss"))
    with pytest.raises(PolicyError, match=r"allowed: route, .*, route_approve, \*$"):
        draft_of(b", *, ", b", b, ", "deny.csv")


def test_refused_effect_says_what_the_file_allows() -> None:
    with pytest.raises(PolicyError, match="allowed: allow, or off$"):
        draft_of(A09, A09.replace(b", allow", b", deny"))
    with pytest.raises(PolicyError, match="allowed: deny$"):
        draft_of(b", deny, ", b", off, ", "deny.csv")
