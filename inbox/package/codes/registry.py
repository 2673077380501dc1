"""Every quarantine code: what is wrong, and what can be done about it."""

from collections.abc import Mapping
from types import MappingProxyType

from inbox.package.codes.container import CONTAINER
from inbox.package.codes.content import ARKIVMELDING, ARRIVAL, DOCUMENTS, ENVELOPE, SIGNER
from inbox.package.codes.quarantine_code import QuarantineCode
from inbox.package.codes.signature import MANIFEST, SIGNATURE, TRUST

CODES: Mapping[str, QuarantineCode] = MappingProxyType(
    ARRIVAL
    | CONTAINER
    | MANIFEST
    | SIGNATURE
    | TRUST
    | SIGNER
    | ENVELOPE
    | ARKIVMELDING
    | DOCUMENTS
)
"""Code to meaning, in the order in which things are checked."""

REVOCATION_UNKNOWN = "revocation-unknown"
"""The one code that may also mean "wait": see `terms.StaleList`."""
SECURITY_GRADE = "arkivmelding.security_grade"
"""The one code that is an alarm besides: such mail must not travel here at all."""
GRADE_UNREADABLE = "arkivmelding.grade_unreadable"
"""May be graded, and cannot be read: an archivist and a security reviewer may let it through."""
