"""What the pages need to know of this installation: its address, its name, its limits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class PeopleSite:
    """The people's listener, as the settings describe it."""

    public_url: str
    """The address that people type, such as https://innboks.vestrefjord.no: origin only."""
    organisation: str
    """Its name, under the service's in the band."""
    is_demo: bool = False
    """Whether the page of components is served, and the pages say that all data is made up."""
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Of these the last entry of X-Forwarded-For is believed, for the limit of requests alone."""
    requests_per_minute: int = 300
    """Of one session, or of one address that has none."""
    draft_life: timedelta = timedelta(minutes=30)
    """How long a form may be open, and how long what was typed is kept afterwards."""
    shortest_look: timedelta = timedelta(milliseconds=700)
    """A form that acts at speed is not believed sooner: a held key repeats faster than that."""
    clock: Callable[[], datetime] = _now

    @property
    def origin(self) -> str:
        """Scheme, host and port of `public_url`, as a browser writes them in `Origin`."""
        address = urlsplit(self.public_url)
        return f"{address.scheme}://{address.netloc}"

    @property
    def is_secure(self) -> bool:
        """Whether people reach it by https."""
        return urlsplit(self.public_url).scheme == "https"
