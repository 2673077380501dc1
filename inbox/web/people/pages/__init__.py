"""The pages of staff: a module for each thing that a person looks at or does."""

from typing import Final

from fastapi import APIRouter

from inbox.web.people.pages import (
    arrival,
    distribute,
    front,
    message,
    message_forms,
    notes,
    proposal,
    queue,
    task,
    telephone,
)
from inbox.web.people.pages.unit import content, leader, lists

router: Final = APIRouter()
_PAGES: Final = (
    *(front, queue, lists, leader, distribute, message, content, notes),
    # After the pages with an address of their own, which look like its.
    message_forms,
    *(arrival, proposal, task, telephone),
)
for _each in _PAGES:
    router.include_router(_each.router)
