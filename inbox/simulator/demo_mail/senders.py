"""Who writes to Vestre Fjord kommune, which does not exist: all names and numbers are made up."""

from collections.abc import Mapping

from inbox.simulator.packages.envelopes import RESPONSE, TAUSHETSBELAGT

OWN = "910075918"
POLICE, POLICE_NIGHT = "312100010", "312101718"
SCHOOL_NORTH, SCHOOL_FJORD, SCHOOL_HILL = "312103419", "312106817", "312108518"
HOSPITAL, HOSPITAL_SOUTH = "312110210", "312111918"
GOVERNOR = "312113619"
NAV, NAV_PENSION = "312117010", "312118718"
SORVAG, TINDFJELL, LOMVI = "910077473", "910076787", "312120410"
COAST_INSPECTION, MINE_INSPECTION = "312122111", "312123819"
ACCOUNTANT, CLINIC, SUPPLIER, STRANGER = "312140004", "312141701", "312143402", "312145103"
UNKNOWN = "999999999"
"""What the SvarInn path names as sender when it does not know (§5.6)."""

NAMES: Mapping[str, str] = {
    OWN: "Vestre Fjord kommune",
    POLICE: "Ytterkyst politidistrikt",
    POLICE_NIGHT: "Politiets nattjeneste Ytterkyst",
    SCHOOL_NORTH: "Nordvik skole",
    SCHOOL_FJORD: "Fjordbotn skule",
    SCHOOL_HILL: "Haugen videregående skole",
    HOSPITAL: "Helse Ytterkyst HF",
    HOSPITAL_SOUTH: "Sykehuset Sørlig HF",
    GOVERNOR: "Statsforvalteren i Ytterkyst",
    NAV: "Nav Ytterkyst",
    NAV_PENSION: "Nav Pensjon Ytterkyst",
    SORVAG: "Sørvåg kommune",
    TINDFJELL: "Tindfjell kommune",
    LOMVI: "Lomvi kommune",
    COAST_INSPECTION: "Kysttilsynet",
    MINE_INSPECTION: "Bergtilsynet",
    ACCOUNTANT: "Tall og Orden Regnskap AS",
    CLINIC: "Fjellrev tannklinikk AS",
    SUPPLIER: "Arkivskyen Drift AS",
    STRANGER: "Stiftelsen Ukjent Avsender",
}

_DPO = {RESPONSE: "DPO", TAUSHETSBELAGT: "DPO"}
_DPV = {RESPONSE: "DPV", TAUSHETSBELAGT: "DPV"}
CAPABILITIES: Mapping[str, Mapping[str, str]] = {
    org: _DPV if org == ACCOUNTANT else _DPO for org in NAMES
}
"""What the registry says of them: the accountant has no integrasjonspunkt, so none of our
kvitteringer can reach it; an organisation that is not listed is unknown."""

KNOWN_REFERENCES = (
    (NAV_PENSION, "2026/000417", "nav"),
    (SCHOOL_HILL, "2026/000233", "ppt"),
)
"""Cases of ours before the mail comes: counterparty, our reference, the unit that has the case."""
