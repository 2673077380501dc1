"""Legal bases as `inbox policy` prints them."""

from typing import Final

from inbox.access.policy.legal_basis import LegalBasis

BASIS_COLUMNS: Final = ("basis", "from", "until", "successor", "nb", "en")


def basis_row(basis: LegalBasis) -> dict[str, object]:
    """One legal basis, by the columns of `bases.csv`."""
    return {
        "basis": basis.id,
        "act": basis.act,
        "section": basis.section or None,
        "from": None if basis.valid_from is None else str(basis.valid_from),
        "until": None if basis.valid_until is None else str(basis.valid_until),
        "successor": basis.successor,
        **{language.value: text for language, text in basis.text.items()},
    }
