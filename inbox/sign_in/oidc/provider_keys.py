"""The public keys of a provider: fetched when needed, again when it signs with a new one.

A token names its key. One that names a key that we do not have makes us ask at once, and then no
other for a while, so that nobody makes us ask all the time by made-up tokens.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Final

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, RSAKey

from inbox.sign_in.refusal import ProviderAway, SignInRefused

KEPT_SECONDS: Final = 3600.0
"""A key that the provider has withdrawn is believed for so long at most."""
ASKED_EVERY_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 5.0
_LONGEST_WAIT_SECONDS: Final = 5.0
_SMALLEST_RSA_BITS: Final = 2048
_FAMILY: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
PublicKey = RSAKey | ECKey


class ProviderKeys:
    """The keys of one provider; `fetch` gives its key set as it is published now."""

    def __init__(
        self,
        fetch: Callable[[], Mapping[str, object]],
        *,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._tick = tick
        self._lock = Lock()
        self._found: Mapping[str, list[PublicKey]] = {}
        self._fetched_at: float | None = None
        self._asked_for_unknown_at: float | None = None
        self._failed_at: float | None = None

    def key_for(self, key_id: object, algorithm: str) -> PublicKey:
        """The key that a token names. Raises `SignInRefused` and `ProviderAway`."""
        with self._locked():
            is_new = self._fetched_at is None or self._tick() - self._fetched_at >= KEPT_SECONDS
            if is_new:
                self._refresh()
            key = self._find(key_id, algorithm)
            if key is None and not is_new and self._may_ask_for_unknown():
                self._asked_for_unknown_at = self._tick()
                self._refresh()
                key = self._find(key_id, algorithm)
        if key is None:
            raise SignInRefused("sign_in.token_key", "it names no key of the provider's")
        return key

    def refresh(self) -> int:
        """Fetch the keys now; how many can be used. Raises `ProviderAway`."""
        with self._locked():
            self._refresh()
            return sum(map(len, self._found.values()))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One asks for all; for the others the provider is away."""
        if not self._lock.acquire(timeout=_LONGEST_WAIT_SECONDS):
            raise ProviderAway("provider.busy", "its keys are being asked for")
        try:
            yield
        finally:
            self._lock.release()

    def _may_ask_for_unknown(self) -> bool:
        asked = self._asked_for_unknown_at
        return asked is None or self._tick() - asked >= ASKED_EVERY_SECONDS

    def _refresh(self) -> None:
        """Ask now; not again for some seconds after it was in vain."""
        now = self._tick()
        if self._failed_at is not None and now - self._failed_at < _PAUSE_SECONDS:
            raise ProviderAway("provider.keys", "they were asked for in vain just now")
        try:
            self._found = _usable_keys(self._fetch())
        except ProviderAway:
            self._failed_at = self._tick()
            raise
        self._fetched_at, self._failed_at = self._tick(), None

    def _find(self, key_id: object, algorithm: str) -> PublicKey | None:
        """By its id; a provider with a single key need not name it."""
        if key_id is None:
            every = [key for keys in self._found.values() for key in keys]
            named = every if len(every) == 1 else []
        else:
            named = list(self._found.get(key_id, ())) if isinstance(key_id, str) else []
        return next((key for key in named if _fits(key, algorithm)), None)


def _fits(key: PublicKey, algorithm: str) -> bool:
    """Whether the key may verify that algorithm: its family, its curve, and its own word."""
    if key.get("alg") not in {None, algorithm} or key.key_type != _FAMILY[algorithm[:2]]:
        return False
    return algorithm not in _CURVES or key.get("crv") == _CURVES[algorithm]


def _usable_keys(document: Mapping[str, object]) -> Mapping[str, list[PublicKey]]:
    """The public keys for signatures, by id; what else is published is left aside."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ProviderAway("provider.keys", "no list of keys")
    found: dict[str, list[PublicKey]] = {}
    for each in listed:
        key = _public_key(each)
        if key is not None:
            found.setdefault(str(each.get("kid", "")), []).append(key)
    if not found:
        raise ProviderAway("provider.keys", "none of its keys can be used")
    return found


def _public_key(listed: object) -> PublicKey | None:
    """The key, unless it is a shared secret, is for encryption, or is too short."""
    if not isinstance(listed, dict) or listed.get("kty") not in {"RSA", "EC"}:
        return None
    if listed.get("use", "sig") != "sig" or "d" in listed:
        return None
    operations = listed.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # Short keys are refused below.
            key = JWKRegistry.import_key({**listed, "use": "sig"})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAKey) and key.public_key.key_size < _SMALLEST_RSA_BITS:
        return None
    return key if isinstance(key, RSAKey | ECKey) else None
