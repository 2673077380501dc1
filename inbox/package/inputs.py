"""The parameters of opening a package: limits, expectations and trust."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from inbox.domain import OrgNumber, Service

_MIB = 1 << 20
_GIB = 1 << 30
STALE_LIST: Final = "trust.stale_list"
"""The code with which a package waits for a fresh revocation list."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Size limits of a package; all are enforced while it is read."""

    max_container_bytes: int = _GIB + _GIB // 4
    """Above the sender's own 1 GB, which is counted before packing."""
    max_entries: int = 2_000
    max_inflated_bytes: int = 4 * _GIB
    """The work that a package may cause. How well a file was packed is no fault: a blank scanned
    page shrinks more than 200 times."""
    max_arkivmelding_bytes: int = 5 * _MIB
    max_manifest_bytes: int = _MIB
    max_signature_bytes: int = _MIB // 4
    max_elements: int = 200_000
    max_depth: int = 256
    max_attributes: int = 100


@dataclass(frozen=True, kw_only=True)
class Expectations:
    """What we expect of a package for this organisation and service: who may sign it, and how."""

    service: Service
    organisation: OrgNumber
    """The organisation of ours that the message was fetched for."""
    own: frozenset[OrgNumber] = frozenset()
    """All organisations of ours; on DPF their gateway signs."""
    on_behalf_of: frozenset[tuple[OrgNumber, OrgNumber]] = frozenset()
    """Who is known to sign for whom: (signer, sender)."""
    legacy_sha1_until: date | None = None
    """From this date on a SHA-1 signature is refused; None accepts it without end."""


@dataclass(frozen=True, kw_only=True)
class RevocationList:
    """One list of revoked certificates (CRL) as it was fetched."""

    der: bytes
    fetched_at: datetime
    this_update: datetime
    next_update: datetime | None = None

    def is_stale(self, now: datetime, stale_after: timedelta) -> bool:
        """Whether the list can no longer show that a certificate is good.

        Its issuer says until when; lists of roots are good for months, others for a day.
        """
        return now > (self.next_update or self.this_update + stale_after)


@dataclass(frozen=True, kw_only=True)
class Trust:
    """The trusted certificates and the revocation lists; all DER."""

    anchors: tuple[bytes, ...] = ()
    intermediates: tuple[bytes, ...] = ()
    lists: tuple[RevocationList, ...] = ()
    without_lists: frozenset[bytes] = frozenset()
    """Authorities that publish no list: what they issued is believed without one. For pilots."""
    stale_after: timedelta = timedelta(days=7)
    """A list that does not say when its next update comes is too old so long after it was made."""


class StaleList(StrEnum):
    """What to do if no fresh revocation list covers a certificate."""

    WAIT = "wait"
    """Nothing yet: `Unavailable`, try again when lists have been fetched."""
    REJECT = "reject"
    """It has lasted too long: the package is refused with the waivable `revocation-unknown`."""
