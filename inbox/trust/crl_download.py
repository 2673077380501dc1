"""Downloads one revocation list over HTTP, bounded in bytes and in time, without redirects."""

import ssl
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

import httpx

from inbox.call_deadline import CallDeadline, DeadlineTransport
from inbox.errors import ConfigurationError, Unavailable
from inbox.package.inputs import RevocationList
from inbox.trust.trust_folder import read_pem_or_der_list

MAX_BYTES: Final = 50_000_000
"""The largest lists of public issuers have some megabytes."""
_TIME_LIMIT: Final = timedelta(seconds=60)
_SILENCE_SECONDS: Final = 10.0
_OK: Final = 200


def build_http_client(*, tls: ssl.SSLContext | None = None) -> httpx.Client:
    """An HTTP client without proxies from the environment and without redirects.

    Both could change the destination.
    """
    return httpx.Client(
        headers={"User-Agent": f"inbox/{version('inbox')}", "Accept-Encoding": "identity"},
        timeout=_SILENCE_SECONDS,
        follow_redirects=False,
        trust_env=False,
        transport=DeadlineTransport(tls=tls),
    )


class CrlDownloader:
    """Downloads revocation lists; `patience` is the time limit for a whole list."""

    def __init__(
        self, client: httpx.Client, *, patience: timedelta = _TIME_LIMIT, max_bytes: int = MAX_BYTES
    ) -> None:
        self._client = client
        self._patience = patience
        self._max_bytes = max_bytes

    def fetch(self, address: str) -> RevocationList:
        """Download the list that is published there; who signed it is checked later.

        Raises `Unavailable` (`trust.list_…`).
        """
        try:
            raw = self._download(address, CallDeadline(self._patience))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise Unavailable("trust.list_away", type(error).__name__) from error
        try:
            return read_pem_or_der_list(raw, fetched_at=datetime.now(UTC))
        except (ValueError, ConfigurationError) as error:
            raise Unavailable("trust.list_garbage", f"{len(raw)} bytes") from error

    def _download(self, address: str, deadline: CallDeadline) -> bytes:
        raw, extensions = bytearray(), deadline.extensions(self._client.timeout)
        try:
            with self._client.stream("GET", address, extensions=extensions) as answer:
                if answer.status_code != _OK:
                    raise Unavailable("trust.list_status", str(answer.status_code))
                for piece in answer.iter_raw():
                    raw += piece
                    if len(raw) > self._max_bytes:
                        raise Unavailable("trust.list_too_large")
                    if deadline.has_passed():
                        raise Unavailable("trust.list_slow")
        except httpx.HTTPError as error:
            code = "trust.list_slow" if deadline.has_passed() else "trust.list_away"
            raise Unavailable(code, type(error).__name__) from error
        return bytes(raw)


def is_list_address(url: str) -> bool:
    """Whether a list may be fetched from here: http or https, a host, no credentials."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        )
    except ValueError:
        return False
