"""Looking things up: capabilities, statuses, conversations, health, subscriptions."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime

from inbox.simulator.gateway.queue import SERVICES
from inbox.simulator.gateway.state import State
from inbox.simulator.gateway.statuses import Conversation, Status, show_conversation, show_status
from inbox.simulator.http.wire import Call, Refusal, SimulatedResponse, json_answer, page_of
from inbox.simulator.packages import envelopes

DIRECTIONS = ("INCOMING", "OUTGOING")
CONVERSATION_FILTERS = (
    *("conversationId", "messageId", "receiver", "receiverIdentifier", "sender"),
    *("senderIdentifier", "serviceIdentifier", "messageReference", "messageTitle"),
    *("finished", "direction"),
)
"""Names that the conversations are filtered by; others are ignored, as in the real thing."""
STATUS_JSON = {"content-type": "application/json;charset=utf-8"}


def capabilities(state: State, call: Call) -> SimulatedResponse:
    """What the registry says of an organisation; unknown is 404, a process narrows it."""
    with state.look() as inside:
        known = state.setup.look_up(call.argument, inside.now)
    if known is None:
        raise Refusal(404, "IdentifierNotFoundException", f"Identifier {call.argument} not found")
    wanted = call.query.get("process")
    rows = [
        {
            "process": process,
            "serviceIdentifier": service,
            "documentTypes": [{"type": kind, "standard": envelopes.DOCUMENT_TYPES + kind}],
        }
        for process, service in known.items()
        if wanted is None or wanted == process
        for kind in (
            "arkivmelding_kvittering" if process == envelopes.RESPONSE else "arkivmelding",
        )
    ]
    return json_answer({"capabilities": rows})


def statuses(state: State, call: Call) -> SimulatedResponse:
    """All statuses, by id; with an id in the path those of one message, none if it is unknown."""
    query = {"messageId": call.argument} if call.argument else dict(call.query)
    wanted = _status_filter(query)
    with state.look() as inside:
        rows = [
            (conversation, status)
            for conversation in inside.ledger.all()
            for status in conversation.statuses
            if wanted(conversation, status)
        ]
    rows.sort(key=lambda row: row[1].number)
    sortable = {
        "id": lambda row: f"{row[1].number:09}",
        "lastUpdate": lambda row: row[1].at.isoformat(),
        "status": lambda row: row[1].name,
    }
    answer = json_answer(page_of(rows, call, show=lambda row: show_status(*row), sortable=sortable))
    return SimulatedResponse(headers=STATUS_JSON, body=answer.body)


def _status_filter(query: Mapping[str, str]) -> Callable[[Conversation, Status], bool]:
    """Exact values, all of which must fit; the two times count only together, names are free."""
    begin, end = (_instant(query, name) for name in ("fromDateTime", "toDateTime"))
    number = query.get("id")
    if number is not None and not number.isdecimal():
        raise _unbindable("id", number)

    def wanted(conversation: Conversation, status: Status) -> bool:
        return (
            query.get("messageId", conversation.message_id) == conversation.message_id
            and query.get("conversationId", conversation.conversation_id)
            == conversation.conversation_id
            and query.get("status", status.name) == status.name
            and (number is None or int(number) == status.number)
            and (begin is None or end is None or begin < status.at < end)
        )

    return wanted


def _instant(query: Mapping[str, str], name: str) -> datetime | None:
    """A time with an offset; anything else cannot be bound: 400."""
    if name not in query:
        return None
    try:
        instant = datetime.fromisoformat(query[name])
    except ValueError:
        raise _unbindable(name, query[name]) from None
    if instant.tzinfo is None:
        raise _unbindable(name, query[name])
    return instant


def _unbindable(name: str, value: str) -> Refusal:
    error = {"field": name, "rejectedValue": value, "bindingFailure": True, "code": "typeMismatch"}
    return Refusal(
        400,
        "org.springframework.web.bind.MethodArgumentNotValidException",
        "Validation failed for argument [0]",
        errors=(error,),
    )


def conversations(state: State, call: Call) -> SimulatedResponse:
    """Conversations in both directions, the one that changed last first; by exact values."""
    query = call.query
    if query.get("direction", "INCOMING") not in DIRECTIONS:
        raise _unbindable("direction", query["direction"])
    if query.get("serviceIdentifier", SERVICES[0]) not in SERVICES:
        name = "java.lang.IllegalArgumentException"
        raise Refusal(500, name, "No enum constant ServiceIdentifier." + query["serviceIdentifier"])
    with state.look() as inside:
        shown = [show_conversation(each) for each in inside.ledger.all()]
    rows = [row for row in shown if all(_fits(row, query, name) for name in CONVERSATION_FILTERS)]
    rows.sort(key=lambda row: str(row["lastUpdate"]), reverse=True)
    sortable = {
        "id": lambda row: f"{row['id']:>9}",
        "lastUpdate": lambda row: str(row["lastUpdate"]),
    }
    return json_answer(page_of(rows, call, show=lambda row: row, sortable=sortable))


def _fits(row: Mapping[str, object], query: Mapping[str, str], name: str) -> bool:
    value = row[name]
    shown = str(value).lower() if isinstance(value, bool) else value
    return query.get(name, shown) == shown


def conversation(state: State, call: Call) -> SimulatedResponse:
    """A single look-up gives outgoing ones only (§2.6, §11.2)."""
    with state.look() as inside:
        found = inside.ledger.find(call.argument)
        if found is None or found.direction != "OUTGOING":
            message = f"Conversation with messageId {call.argument} not found"
            raise Refusal(404, "ConversationNotFoundException", message)
        return json_answer(show_conversation(found))


def health(state: State, _call: Call) -> SimulatedResponse:
    """UP with 200, DOWN with 503."""
    with state.look() as inside:
        waiting = len(inside.queue.all())
    up = "UP" if state.setup.healthy else "DOWN"
    details = {"queue": {"status": up, "details": {"incoming": waiting}}}
    answer = json_answer({"status": up, "components": details, "groups": ["liveness", "readiness"]})
    return SimulatedResponse(
        status=200 if up == "UP" else 503, headers=answer.headers, body=answer.body
    )


def info(_state: State, _call: Call) -> SimulatedResponse:
    """What build this claims to be."""
    return json_answer({"build": {"artifact": "integrasjonspunkt", "version": "4.0.7"}})


def subscriptions(state: State, call: Call) -> SimulatedResponse:
    """List or add."""
    with state.look() as inside:
        if call.method == "POST":
            return json_answer(inside.subscriptions.add(json_body(call)).show())
        rows = inside.subscriptions.all()
        return json_answer(page_of(rows, call, show=lambda row: row.show(), sortable={}))


def subscription(state: State, call: Call) -> SimulatedResponse:
    """Look at, change or remove one."""
    with state.look() as inside:
        if call.method == "DELETE":
            inside.subscriptions.remove(call.argument)
            return SimulatedResponse()
        if call.method == "PUT":
            return json_answer(inside.subscriptions.change(call.argument, json_body(call)).show())
        return json_answer(inside.subscriptions.find(call.argument).show())


def json_body(call: Call) -> object:
    """The body as JSON: 415 if it is not announced as that, 400 if it is not."""
    if call.headers.get("content-type", "").split(";")[0].strip() != "application/json":
        name = "org.springframework.web.HttpMediaTypeNotSupportedException"
        raise Refusal(415, name, "Content-Type is not supported")
    try:
        value: object = json.loads(call.body)
    except ValueError as error:
        raise unreadable("JSON parse error") from error
    return value


def unreadable(message: str) -> Refusal:
    """400 for a body that cannot be understood."""
    name = "org.springframework.http.converter.HttpMessageNotReadableException"
    return Refusal(400, name, message)
