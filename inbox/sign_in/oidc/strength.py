"""Whether a sign-in was *strong*: a table per provider, of what its tokens say and how long ago."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from inbox.sign_in.oidc.id_token import SignedInWord
from inbox.sign_in.oidc.provider_terms import StrengthClaim, StrengthTable
from inbox.sign_in.oidc.signed_tokens import LEEWAY_SECONDS

_FUTURE_SECONDS: Final = LEEWAY_SECONDS


def is_strong(word: SignedInWord, table: StrengthTable, now: datetime) -> bool:
    """Whether any row of the table fits, and the person proved it lately enough."""
    if not table.rows or word.authenticated_at is None:
        return False
    age = now - word.authenticated_at
    if age > table.greatest_age or age.total_seconds() < -_FUTURE_SECONDS:
        return False
    return any(not row.values.isdisjoint(_values(word, row.claim)) for row in table.rows)


def _values(word: SignedInWord, claim: StrengthClaim) -> frozenset[str]:
    """The claim's values: one text, or a list of them. An `acr` is one word, never several."""
    value = word.claims.get(claim.value)
    if isinstance(value, str):
        return frozenset({value})
    if isinstance(value, list) and claim is not StrengthClaim.ACR:
        return frozenset(each for each in value if isinstance(each, str))
    return frozenset()


def step_up_parameters(table: StrengthTable) -> Mapping[str, str]:
    """What is asked of the provider, so that the sign-in will be strong."""
    asked = {"max_age": str(int(table.greatest_age.total_seconds()))}
    acr = sorted({v for row in table.rows if row.claim is StrengthClaim.ACR for v in row.values})
    contexts = sorted(
        {v for row in table.rows if row.claim is StrengthClaim.ACRS for v in row.values}
    )
    if acr:
        asked["acr_values"] = " ".join(acr)
    if contexts:
        wish = {"id_token": {"acrs": {"essential": True, "values": contexts}}}
        if len(contexts) == 1:
            wish = {"id_token": {"acrs": {"essential": True, "value": contexts[0]}}}
        asked["claims"] = json.dumps(wish)
    return asked
