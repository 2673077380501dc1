"""Looking things up: capabilities, statuses, conversations, health, subscriptions."""

import json

from inbox.simulator.gateway.state import State
from inbox.simulator.gateway.statuses import show_conversation, show_status
from inbox.simulator.http.wire import Call, Refusal, SimulatedResponse, json_answer, page_of
from inbox.simulator.packages import envelopes

STATUS_JSON = {"content-type": "application/json;charset=utf-8"}


def capabilities(state: State, call: Call) -> SimulatedResponse:
    """What the registry says of an organisation; unknown is 404, a process narrows it."""
    known = state.setup.capabilities.get(call.argument)
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
    query = dict(call.query)
    if call.argument:
        query["messageId"] = call.argument
    with state.look() as inside:
        rows = [
            (conversation, status)
            for conversation in inside.ledger.all()
            for status in conversation.statuses
            if query.get("messageId", conversation.message_id) == conversation.message_id
            and query.get("conversationId", conversation.conversation_id)
            == conversation.conversation_id
            and query.get("status", status.name) == status.name
            and query.get("id", str(status.number)) == str(status.number)
        ]
    rows.sort(key=lambda row: row[1].number)
    page = page_of(
        rows,
        call,
        show=lambda row: show_status(*row),
        sortable={
            "id": lambda row: f"{row[1].number:09}",
            "lastUpdated": lambda row: str(row[1].at),
        },
    )
    answer = json_answer(page)
    return SimulatedResponse(headers=STATUS_JSON, body=answer.body)


def conversations(state: State, call: Call) -> SimulatedResponse:
    """Conversations in both directions, filtered by ids and direction."""
    with state.look() as inside:
        rows = [
            show_conversation(each)
            for each in inside.ledger.all()
            if call.query.get("messageId", each.message_id) == each.message_id
            and call.query.get("conversationId", each.conversation_id) == each.conversation_id
            and call.query.get("direction", each.direction) == each.direction
        ]
    return json_answer(
        page_of(rows, call, show=lambda row: row, sortable={"id": lambda row: f"{row['id']:>9}"})
    )


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
