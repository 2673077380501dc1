"""The models of the case systems' API, requests and responses.

`docs/openapi.json` is generated from them.

What is taken is strict: an unknown field is refused, so that a misspelt one is not lost. What is
given may get more fields, so its description does not close it (docs/vendors.md, "What may be
added").
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from inbox.domain import DeliveryState, Service
from inbox.line.moves.case_system import Said
from inbox.package.arkivmelding.model import ArchiveMessage
from inbox.package.verdict import Verdict

ID_PATTERN = r"^[0-9a-f]{32}$"
"""Our own ids: 128 random bits."""


class ApiModel(BaseModel):
    """The base of everything that is given: a reader must let unknown fields pass."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ApiRequest(ApiModel):
    """The base of everything that is taken: an unknown field is refused."""

    model_config = ConfigDict(extra="forbid")


# What is taken


class Paging(ApiRequest):
    """Which deliveries to list."""

    after: str | None = Field(default=None, pattern=ID_PATTERN)
    """List what was offered after the delivery with this id: use `next` of the page before."""
    limit: int = Field(default=50, ge=1, le=100)


class Nothing(ApiRequest):
    """No body is needed; an empty object is taken."""


class Registered(ApiRequest):
    """*Journalført*: the archive has it, under this reference."""

    reference: str = Field(min_length=1, max_length=200, examples=["2026/001234-1"])
    """The archive's reference, as the sender shall see it in the kvittering.

    One line with a number other than zero: blanks, marks and words alone are no reference."""


class Refused(ApiRequest):
    """The case system will not register it; people decide what happens next."""

    code: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,59}$", examples=["journaldato.missing"])
    """A code of the case system's own: a-z 0-9 . _ -, at most 60."""
    text: str = Field(default="", max_length=2000)
    """For the people who must decide; kept sealed, never sent to the sender."""


# What is given


class Answer(ApiModel):
    """What became of a word. The same word twice is the same answer."""

    said: Said
    """`done`: it counts from now. `repeated`: it counted already. `kept`: the delivery had been
    taken back; a person in the archive decides."""


class Listed(ApiModel):
    """A delivery that stands open: ids and times only."""

    delivery_id: str
    """Names the delivery in every address and event. Random; it says nothing."""
    number: int
    """1 for the first attempt to deliver a message, then 2 and so on."""
    state: DeliveryState
    offered_at: datetime
    collected_at: datetime | None
    href: str
    """Where to collect it."""


class Page(ApiModel):
    """The case system's own standing deliveries, oldest first."""

    deliveries: list[Listed]
    next: str | None
    """The address of the next page; null on the last."""


class PackagePart(ApiModel):
    """The container (ASiC-E) as it came, byte for byte, with the sender's signature."""

    href: str
    media_type: str
    size: int
    """In bytes."""
    sha256: str
    """In hexadecimal digits."""


class DocumentPart(ApiModel):
    """One document in the container."""

    number: int
    """Its place in the container, from 1."""
    href: str
    name: str
    """The sender's file name. Never use it as a path."""
    media_type: str
    """By the ending of the name. The bytes are always sent as application/octet-stream."""
    size: int
    sha256: str
    title: str | None
    is_main: bool
    referenced: bool
    """Whether the arkivmelding mentions it."""


class Gap(ApiModel):
    """A required element that the sender's arkivmelding lacks."""

    element: str
    """`parent/child` by the names of the arkivmelding."""
    suggested: str | None
    """What could stand there, taken from the message itself; null where only people can know."""


class ScreeningProposal(ApiModel):
    """How the entry may be screened (*skjerming*), from what the sender wrote."""

    shielding: str | None
    """The code of the clearance that it takes here; `?` for a text that nobody has described."""
    access_restriction: str | None
    """Tilgangsrestriksjon, as the sender wrote it."""
    authority: str | None
    """Skjermingshjemmel, as the sender wrote it."""


class Sentences(ApiModel):
    """The verdict in bokmål, nynorsk and English; no content but the name of who signed."""

    nb: list[str]
    nn: list[str]
    en: list[str]


class SameContent(ApiModel):
    """Another message with the same content, which you have collected before."""

    message_id: str
    """As in `message_id` of its own delivery."""
    received_at: datetime
    """When it was safely in our hands."""


class Delivery(ApiModel):
    """Everything that is needed to register the message."""

    delivery_id: str
    """Names the delivery in every address and event."""
    number: int
    state: DeliveryState
    offered_at: datetime
    collected_at: datetime | None
    accepted_at: datetime | None
    message_id: str
    """Our id of the message: the same in every attempt. Use it as the key against duplicates."""
    wire_id: str
    """The sender's id of it (SBD instanceIdentifier). Senders choose it; it proves nothing."""
    conversation_id: str | None
    references: list[str]
    """What the message says that it answers: the receiver's reference, and the conversation."""
    sender: str | None
    """Organisation number."""
    receiver: str
    """Organisation number: the organisation of yours that it came to."""
    service: Service
    process: str
    document_type: str
    sent_at: datetime | None
    """When the sender says that it was sent."""
    received_at: datetime
    """When it was safely in our hands."""
    package: PackagePart
    documents: list[DocumentPart]
    archive: ArchiveMessage | None
    """The sender's arkivmelding, read; null where it could not be read and was let through."""
    missing: list[Gap]
    screening: ScreeningProposal | None
    """Null where neither the sender nor we know of any."""
    verdict: Verdict
    """What was seen when the package was checked: integrity, signer, chain, revocation."""
    verdict_said: Sentences
    """The same in plain words: show them to the person who registers it."""
    same_content: list[SameContent]
    """The sender sent the same before, under other ids: ask a person before registering it twice.
    Answer this delivery all the same, with the reference that it has in your archive."""
