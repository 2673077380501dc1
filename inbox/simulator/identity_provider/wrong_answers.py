"""Wrong answers on demand: what can be wrong, how often it is to be, and how often it was."""

import threading
from collections import Counter
from datetime import timedelta
from enum import StrEnum


class WrongAnswer(StrEnum):
    """What an attacker or a broken provider would give; everything else in the answer is right."""

    # In the ID token
    NONCE = "another nonce"
    NO_NONCE = "no nonce"
    ISSUER = "another issuer in the token"
    AUDIENCE = "another audience"
    MORE_AUDIENCES = "a second audience and no azp"
    OTHER_PARTY = "two audiences and azp is the other"
    EXPIRED = "expired"
    ISSUED_LATER = "issued in the future"
    NO_SUBJECT = "no sub"
    ACCESS_TOKEN_HASH = "at_hash of another access token"
    EMAIL_OF_ANOTHER = "email, name and user name of another person"
    WEAKER_LEVEL = "the weakest level, whatever was asked for"
    OLD_SIGN_IN = "auth_time a day ago, whatever max_age says"
    UNSIGNED = "alg none"
    SIGNED_WITH_PUBLIC_KEY = "HS256 under the public key"
    UNKNOWN_KEY = "signed by a key that is not published"
    NO_KEY_ID = "no kid in the header"
    BROKEN_SIGNATURE = "a signature that does not verify"
    # In the authorization response
    RESPONSE_ISSUER = "another issuer in the response"
    RESPONSE_NO_ISSUER = "no issuer in the response"
    RESPONSE_STATE = "another state in the response"
    CODE_OF_ANOTHER_CLIENT = "a code that belongs to another client"
    # In place of the token response
    TOKEN_HUGE = "a token response of many megabytes"
    TOKEN_SLOW = "a token response that does not begin"
    TOKEN_TRICKLE = "a token response byte by byte"
    TOKEN_REDIRECT = "a redirect from the token endpoint"
    TOKEN_NOT_JSON = "a page from the token endpoint"
    TOKEN_FAILS = "500 from the token endpoint"
    TOKEN_REFUSED = "invalid_grant for a good code"
    NO_ID_TOKEN = "a token response without an ID token"
    # In documents
    DISCOVERY_ISSUER = "another issuer in the discovery document"
    DISCOVERY_AWAY = "503 for the discovery document"
    KEYS_AWAY = "503 for the JWKS"
    KEYS_EMPTY = "a JWKS without keys"
    KEYS_FOR_ENCRYPTION = "a JWKS with use enc"
    USERINFO_OF_ANOTHER = "userinfo of another person"
    # In logout tokens
    LOGOUT_REPLAYED = "the logout token from before again"
    LOGOUT_WITHOUT_EVENTS = "a logout token without events"
    LOGOUT_WITH_NONCE = "a logout token with a nonce"
    LOGOUT_AUDIENCE = "a logout token for another audience"
    LOGOUT_ISSUER = "a logout token of another issuer"
    LOGOUT_UNSIGNED = "a logout token with alg none"
    LOGOUT_BROKEN_SIGNATURE = "a logout token whose signature does not verify"
    LOGOUT_EXPIRED = "a logout token that has expired"
    LOGOUT_NO_SUBJECT = "a logout token with neither sub nor sid"
    # Everywhere
    AWAY = "503 for everything"


class WrongAnswers:
    """The control object: a test stages wrong answers here and sees whether they were given.

    All of it may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._staged: dict[WrongAnswer, int | None] = {}
        self._given: Counter[WrongAnswer] = Counter()
        self.slow_by = timedelta(seconds=60)
        """How long `TOKEN_SLOW` waits, and each byte of `TOKEN_TRICKLE` takes a sixtieth."""
        self.huge_bytes = 64 * 1024 * 1024
        """The length of `TOKEN_HUGE`."""

    def stage(self, *answers: WrongAnswer, times: int | None = None) -> None:
        """From now on answer like this, so many times; None: until `calm`."""
        with self._lock:
            self._staged |= dict.fromkeys(answers, times)

    def calm(self) -> None:
        """From now on every answer is right."""
        with self._lock:
            self._staged.clear()

    def given(self, answer: WrongAnswer) -> int:
        """How often it was really given."""
        return self._given[answer]

    def strike(self, answer: WrongAnswer) -> bool:
        """Whether to answer like this now; the provider asks where it then does so."""
        with self._lock:
            if answer not in self._staged:
                return False
            left = self._staged[answer]
            if left is not None:
                self._staged[answer] = left - 1
                if left <= 1:
                    del self._staged[answer]
            self._given[answer] += 1
            return True
