"""The outgoing side: create, send, look, discard; validation as observed (§11.5)."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime

from inbox.simulator.gateway.lookups import json_body, unreadable
from inbox.simulator.gateway.outbox import Outgoing
from inbox.simulator.gateway.state import Setup, State, service_for
from inbox.simulator.http.wire import Call, Refusal, SimulatedResponse, json_answer, page_of
from inbox.simulator.packages import envelopes
from inbox.simulator.packages.envelopes import HEADER, Envelope, look, text_at

KNOWN_TYPES = (
    *("arkivmelding", "arkivmelding_kvittering", "avtalt", "digital", "digital_dpv", "print"),
    *("innsynskrav", "publisering", "einnsyn_kvittering", "dialogmelding"),
    *("dialogmelding_kvittering", "status", "feil"),
)
NOT_VALID = "org.springframework.web.bind.MethodArgumentNotValidException"
ILLEGAL_ARGUMENT = "java.lang.IllegalArgumentException"
ILLEGAL_STATE = "java.lang.IllegalStateException"


def create(state: State, call: Call) -> SimulatedResponse:
    """Accept a message for sending, with its missing ids and times filled in; sends nothing."""
    envelope = _readable(json_body(call))
    with state.look() as inside:
        _check_fields(envelope, inside.now)
        message_id = envelopes.message_id_of(envelope)
        if message_id and inside.ledger.find(message_id) is not None:
            message = f"MessageId {message_id} already exists"
            raise Refusal(400, "MessageAlreadyExistsException", message)
        service = _service(state.setup, envelope, inside.now)
        filled = _filled(envelope, state.setup.own_org, inside.now)
        outgoing = Outgoing(
            envelope=filled,
            service=service,
            expires_at=envelopes.life_ends_at(filled) or inside.now,
        )
        inside.remember(outgoing.message_id)
        inside.outbox.add(outgoing)
        inside.ledger.open(
            filled, direction="OUTGOING", service=service, expires_at=outgoing.expires_at
        )
        inside.ledger.record(outgoing.message_id, "OPPRETTET", inside.now)
    return json_answer(filled, message_id=outgoing.message_id)


def send(state: State, call: Call) -> SimulatedResponse:
    """Queue it; at once again is 200, after SENDT 404."""
    with state.look() as inside:
        outgoing = inside.outbox.queued(call.argument)
        if outgoing is None:
            raise _not_there(call.argument)
        if envelopes.type_of(outgoing.envelope) == "arkivmelding":
            raise Refusal(400, "MissingArkivmeldingException", "arkivmelding.xml is missing")
        inside.remember(call.argument)
        inside.queue_for_sending(outgoing)
    return SimulatedResponse()


def show(state: State, call: Call) -> SimulatedResponse:
    """What lies in the out-queue under this id."""
    with state.look() as inside:
        outgoing = inside.outbox.queued(call.argument)
    if outgoing is None:
        raise _not_there(call.argument)
    return json_answer(outgoing.envelope)


def show_all(state: State, call: Call) -> SimulatedResponse:
    """The out-queue."""
    with state.look() as inside:
        rows = inside.outbox.in_queue()
    return json_answer(page_of(rows, call, show=lambda row: row.envelope, sortable={}))


def discard(state: State, call: Call) -> SimulatedResponse:
    """Drop what was not sent yet; 200 with an empty body."""
    with state.look() as inside:
        if inside.outbox.queued(call.argument) is None:
            raise _not_there(call.argument)
        inside.remember(call.argument)
        inside.outbox.remove(call.argument)
    return SimulatedResponse()


def _not_there(message_id: str) -> Refusal:
    return Refusal(404, "MessageNotFoundException", f"Message with id {message_id} not found")


def _readable(body: object) -> Envelope:
    """What the gateway's JSON reader demands; its complaints are 400 and, oddly, 500."""
    if not isinstance(body, Mapping):
        raise unreadable("Cannot deserialize value")
    kind = text_at(body, HEADER, "documentIdentification", "type")
    if not kind:
        raise unreadable("missing documentIdentification.type")
    if kind not in KNOWN_TYPES:
        raise Refusal(500, ILLEGAL_ARGUMENT, f"Unknown message type = {kind}")
    if kind not in body:
        raise Refusal(500, ILLEGAL_ARGUMENT, "SBD missing business message")
    receiver = envelopes.party_of(body, "receiver")
    if not receiver.startswith("0192:"):
        raise Refusal(500, ILLEGAL_ARGUMENT, "Identifier has no ICD")
    return body


def _check_fields(envelope: Envelope, now: datetime) -> None:
    errors = list(_wrong_fields(envelope, now))
    if errors:
        raise Refusal(400, NOT_VALID, "Validation failed for argument [0]", errors=errors)
    if not envelopes.process_of(envelope):
        raise Refusal(500, ILLEGAL_STATE, "SBD missing process")


def _wrong_fields(envelope: Envelope, now: datetime) -> Iterator[Mapping[str, object]]:
    header = look(envelope, HEADER)
    for path in (
        ("headerVersion",),
        ("documentIdentification", "standard"),
        ("documentIdentification", "typeVersion"),
    ):
        if not text_at(header, *path):
            yield _wrong(".".join(path), "NotNull", None)
    message_id = look(header, "documentIdentification", "instanceIdentifier")
    if message_id is not None and not envelopes.is_uuid(message_id):
        yield _wrong("documentIdentification.instanceIdentifier", "UUID", message_id)
    if not look(header, "businessScope", "scope"):
        yield _wrong("businessScope", "NotNull", None)
    scope = envelopes.conversation_scope(envelope)
    conversation_id = look(scope, "instanceIdentifier")
    if conversation_id is not None and not envelopes.is_uuid(conversation_id):
        yield _wrong("businessScope.scope[].instanceIdentifier", "UUID", conversation_id)
    ends_at = envelopes.life_ends_at(envelope)
    if ends_at is not None and ends_at <= now:
        yield _wrong(
            "businessScope.scope[].scopeInformation[].expectedResponseDateTime", "InFuture", None
        )


def _wrong(name: str, rule: str, value: object) -> Mapping[str, object]:
    return {
        "codes": [f"{rule}.standardBusinessDocument.standardBusinessDocumentHeader.{name}", rule],
        "defaultMessage": f"violates {rule}",
        "objectName": "standardBusinessDocument",
        "field": f"standardBusinessDocumentHeader.{name}",
        "rejectedValue": value,
        "bindingFailure": False,
        "code": rule,
    }


def _service(setup: Setup, envelope: Envelope, now: datetime) -> str:
    """Process, document type and receiver are refused alike; only `description` tells which."""
    receiver, process = envelopes.org_of(envelope, "receiver"), envelopes.process_of(envelope)
    service = service_for(setup, receiver, process, now)
    kind = "arkivmelding_kvittering" if process == envelopes.RESPONSE else "arkivmelding"
    if service is None or envelopes.standard_of(envelope) != envelopes.DOCUMENT_TYPES + kind:
        raise Refusal(
            400,
            "ReceiverDoesNotAcceptProcessException",
            f"Receiver {receiver} does not accept process {process}",
            description=f"no capability for {envelopes.standard_of(envelope)} at {receiver}",
        )
    if service not in setup.enabled:
        raise Refusal(400, "ServiceNotEnabledException", f"Service {service} is not enabled")
    return service


def _filled(envelope: Envelope, own_org: str, now: datetime) -> Envelope:
    """The envelope as the gateway answers it: ids, sender and times that were left out."""
    header = dict(_mapping(look(envelope, HEADER)))
    identification = dict(_mapping(header["documentIdentification"]))
    identification.setdefault("instanceIdentifier", str(uuid.uuid4()))
    identification.setdefault("creationDateAndTime", envelopes.wire_time(now))
    header["documentIdentification"] = identification
    header["sender"] = [_sender(envelopes.party_of(envelope, "sender"), own_org)]
    conversation = dict(_mapping(envelopes.conversation_scope(envelope)))
    conversation.setdefault("instanceIdentifier", str(uuid.uuid4()))
    if not look(conversation, "scopeInformation", 0, "expectedResponseDateTime"):
        ends = envelopes.wire_time(now + envelopes.DEFAULT_LIFE)
        conversation["scopeInformation"] = [{"expectedResponseDateTime": ends}]
    scopes = look(envelope, HEADER, "businessScope", "scope")
    others = [
        scope
        for scope in (scopes if isinstance(scopes, list) else [])
        if scope is not envelopes.conversation_scope(envelope)
    ]
    header["businessScope"] = {"scope": [conversation, *others]}
    return {**envelope, HEADER: header}


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)  # _check_fields has seen to it
    return value


def _sender(given: str, own_org: str) -> Mapping[str, object]:
    """The own organisation; another one becomes `own:other` (on behalf of)."""
    other = given.removeprefix("0192:")
    same = not other or other == own_org or other.startswith(own_org + ":")
    return envelopes.party((other or own_org) if same else f"{own_org}:{other}")
