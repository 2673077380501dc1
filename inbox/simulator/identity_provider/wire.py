"""What goes over the wire: a call with its parameters, an answer, and the refusals."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit, urlunsplit

NO_STORE = (("cache-control", "no-store"), ("pragma", "no-cache"))


class Parameters:
    """Parameters in the order they came.

    One without a value is as good as omitted, and none may come twice (RFC 6749, section 3.1).
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = [(name, value) for name, value in pairs if value]

    def get(self, name: str) -> str | None:
        """Its value; of a repeated one the first."""
        return next((value for each, value in self.pairs if each == name), None)

    def repeated(self) -> list[str]:
        """The names that came more than once."""
        names = [name for name, _ in self.pairs]
        return sorted({name for name in names if names.count(name) > 1})


@dataclass(frozen=True, kw_only=True)
class ProviderCall:
    """One request, read to its end."""

    method: str
    path: str
    query: Parameters
    form: Parameters | None
    """None: the body is no form."""
    headers: Mapping[str, str]

    def sent(self) -> Parameters:
        """The parameters of a call that may be made by GET or by POST (OIDC Core, 3.1.2.1)."""
        if self.method == "POST":
            return self.form or Parameters()
        return self.query

    def cookie(self, name: str) -> str | None:
        """The value of a cookie."""
        for part in self.headers.get("cookie", "").split(";"):
            found, _, value = part.strip().partition("=")
            if found == name:
                return value
        return None


@dataclass(frozen=True, kw_only=True)
class LogoutPost:
    """A logout token on its way to the address that a client registered."""

    client_id: str
    address: str
    token: str


@dataclass(frozen=True, kw_only=True)
class ProviderAnswer:
    """One answer; `first_wait` is before its first byte, `pause` before each byte of its body."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Iterator[bytes] = b""
    first_wait: timedelta = timedelta()
    pause: timedelta = timedelta()
    logouts: tuple[LogoutPost, ...] = ()
    """Sent before this answer is, one attempt each."""


class ProviderRefusal(Exception):
    """An error by its name in RFC 6749 or OIDC Core, for the client that asked."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


class RefusedHere(Exception):
    """The person sees why, on a page of the provider: the client must not be redirected to."""


def json_body(value: object, *, status: int = 200) -> ProviderAnswer:
    """An answer in JSON that no cache may keep."""
    return ProviderAnswer(
        status=status,
        headers=(("content-type", "application/json"), *NO_STORE),
        body=json.dumps(value).encode(),
    )


def redirect(address: str, **parameters: str | None) -> ProviderAnswer:
    """303 with parameters added to whatever query the address has."""
    parts = urlsplit(address)
    given = {name: value for name, value in parameters.items() if value is not None}
    query = "&".join(filter(None, (parts.query, urlencode(given))))
    return ProviderAnswer(
        status=303,
        headers=(("location", urlunsplit(parts._replace(query=query))), *NO_STORE),
    )
