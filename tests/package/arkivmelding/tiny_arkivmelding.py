"""The XML of an arkivmelding with nothing in it but what a test gives it."""

NAMESPACE = "http://www.arkivverket.no/standarder/noark5/arkivmelding"


def arkivmelding_around(inner: str) -> str:
    return f'<arkivmelding xmlns="{NAMESPACE}">{inner}</arkivmelding>'


def one_entry_xml(inner: str = "") -> str:
    return arkivmelding_around(f"<mappe><basisregistrering>{inner}</basisregistrering></mappe>")
