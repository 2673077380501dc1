"""What a response of the integrasjonspunkt means: by status and exception name, never by text.

Texts of the gateway (`message`, `description`, `errors`) may quote identifiers; none of them ever
reaches an error of ours.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from inbox.domain import RECEIPT_DOCUMENT_TYPE
from inbox.errors import Gone, NeverAccepted, Unavailable
from inbox.gateway import SendStatus

OK = 200
NO_CONTENT = 204
BAD_REQUEST = 400
UNAUTHORISED = (401, 403)
NOT_FOUND = 404
TOO_MANY = 429
SERVER_ERROR = 500

NOT_LOCKED = (BAD_REQUEST, "MessageNotLocked")
MESSAGE_NOT_FOUND = (NOT_FOUND, "MessageNotFound")
IDENTIFIER_NOT_FOUND = (NOT_FOUND, "IdentifierNotFound")
ALREADY_EXISTS = (BAD_REQUEST, "MessageAlreadyExists")
NO_STATUSES = ((NOT_FOUND, "MessageStatusNotFound"), (NOT_FOUND, "ConversationNotFound"))

_PACKAGE_ERRORS: Mapping[tuple[int, str], tuple[type[Gone | NeverAccepted | Unavailable], str]] = {
    (NO_CONTENT, ""): (NeverAccepted, "gateway.no_package"),
    NOT_LOCKED: (Unavailable, "gateway.locked_elsewhere"),
    MESSAGE_NOT_FOUND: (Gone, "gateway.gone"),
    (NOT_FOUND, "FileNotFound"): (NeverAccepted, "gateway.file_missing"),
    (SERVER_ERROR, "AsicRead"): (NeverAccepted, "gateway.unreadable"),
    (SERVER_ERROR, "UnexpectedRollback"): (NeverAccepted, "gateway.unreadable"),
}
_RECEIPT_ERRORS: Mapping[tuple[int, str], str] = {
    (BAD_REQUEST, "ReceiverDoesNotAcceptProcess"): "gateway.receiver_does_not_accept",
    (BAD_REQUEST, "ReceiverDoesNotAcceptDocumentType"): "gateway.receiver_does_not_accept",
    (BAD_REQUEST, "ServiceNotEnabled"): "gateway.service_not_enabled",
    (SERVER_ERROR, "IllegalArgument"): "gateway.refused",
    (SERVER_ERROR, "IllegalState"): "gateway.refused",
}
"""The two 500s are a body that it cannot understand, and would not the next time either."""
_STATUS_WITHOUT_ARRIVAL = {
    "FEIL": SendStatus.FAILED,
    "LEVETID_UTLOPT": SendStatus.EXPIRED,
    "SENDT": SendStatus.SENT,
    "LEST": SendStatus.SENT,
}
"""What a status means for a kvittering that did not arrive; the first that is there counts."""


@dataclass(frozen=True, kw_only=True)
class GatewayResponse:
    """A complete response with its body in memory; the body may be confidential."""

    status: int
    body: bytes

    @property
    def kind(self) -> tuple[int, str]:
        """Status and simple exception name: ``(400, "MessageNotLocked")``; "" if it names none.

        Only the last part of the name counts, without "Exception": packages have moved before. A
        proxy's 404 names no exception and is therefore never taken for the gateway's own.
        """
        try:
            named = json_at(read_json(self.body), "exception")
        except Unavailable:
            return self.status, ""
        last = re.split(r"[.$]", named)[-1] if isinstance(named, str) else ""
        simple = last.removesuffix("Exception")
        return self.status, simple if re.fullmatch(r"[A-Za-z]{1,80}", simple) else ""

    def json_object(self) -> dict[str, object]:
        """The body of a 200 as a JSON object. Raises `Unavailable` for anything else."""
        if self.status != OK:
            raise outage_error(self)
        document = read_json(self.body)
        if not isinstance(document, dict):
            raise Unavailable("gateway.garbled", "the answer is no JSON object")
        return document

    def check_ok(self) -> None:
        """Raise `Unavailable` unless it is a 200 with JSON or no body: not a login page."""
        if self.status != OK or self.body.strip():
            self.json_object()


def read_json(body: bytes) -> object:
    """The JSON value in these bytes. Raises `Unavailable("gateway.garbled")`."""
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        # Without the cause: a decoding error holds the text it failed on.
        raise Unavailable("gateway.garbled", "the answer is not JSON") from None
    return value


def json_at(value: object, *path: str | int) -> object:
    """The value at a path in a JSON value; None if there is nothing."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def json_array(value: object) -> list[object]:
    """The elements of a JSON array; empty if the value is something else."""
    return value if isinstance(value, list) else []


def json_text(value: object) -> str:
    """The text of a JSON string; "" if the value is something else."""
    return value if isinstance(value, str) else ""


def outage_error(answer: GatewayResponse) -> Unavailable:
    """The error for a response that is neither the expected one nor a refusal that we know.

    Every code here is worth another try: a proxy, a restart or a password may be behind it.
    """
    if answer.status in UNAUTHORISED:
        return Unavailable("gateway.unauthorised", str(answer.status), status=answer.status)
    away = answer.status == TOO_MANY or answer.status >= SERVER_ERROR
    code = "gateway.unavailable" if away else "gateway.unexpected"
    return Unavailable(code, " ".join(map(str, answer.kind)).strip(), status=answer.status)


def package_error(answer: GatewayResponse) -> Gone | NeverAccepted | Unavailable:
    """The error for a response to pop that is not the package."""
    kind = answer.kind
    if kind in _PACKAGE_ERRORS:
        error, code = _PACKAGE_ERRORS[kind]
        return error(code, " ".join(map(str, kind)).strip())
    if answer.status == BAD_REQUEST and kind[1]:
        return NeverAccepted("gateway.refused", kind[1])
    return outage_error(answer)


def check_receipt_accepted(answer: GatewayResponse) -> None:
    """Raise unless the response to a kvittering is 200.

    Only a named exception counts as a final refusal.
    """
    kind = answer.kind
    if kind in _RECEIPT_ERRORS:
        raise NeverAccepted(_RECEIPT_ERRORS[kind], kind[1])
    if answer.status == BAD_REQUEST and kind[1]:
        raise NeverAccepted("gateway.refused", kind[1])
    if answer.status != OK:
        raise outage_error(answer)


def accepts_receipts(capability: object) -> bool:
    """Whether one entry of `capabilities` has the kvittering among its document types."""
    return any(
        json_text(json_at(kind, "type")).lower() == "arkivmelding_kvittering"
        or json_at(kind, "standard") == RECEIPT_DOCUMENT_TYPE
        for kind in json_array(json_at(capability, "documentTypes"))
    )


def send_status(names: set[str]) -> SendStatus:
    """The status of a kvittering that has had these status names.

    MOTTATT is the receiving gateway's word. LEVERT together with LEST but without MOTTATT is a lie:
    over DPV and DPF the own gateway throws a kvittering away and reports SENDT, LEVERT and LEST.
    (Nobody answers a kvittering with a kvittering, so LEST never comes from a receiver.) LEST alone
    says nothing yet: statuses come in any order, and the false ones come all at once.
    """
    if "MOTTATT" in names or ("LEVERT" in names and "LEST" not in names):
        return SendStatus.CONFIRMED
    if "LEST" in names and "LEVERT" in names:
        return SendStatus.FAILED
    for name, state in _STATUS_WITHOUT_ARRIVAL.items():
        if name in names:
            return state
    return SendStatus.CREATED if names else SendStatus.UNKNOWN
