"""Addresses on this machine: the identity provider neither has nor is given any other."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str | None) -> bool:
    """Whether a host name or an address can only be this machine.

    Names under `.localhost` always are (RFC 6761, section 6.3).
    """
    if host is None:
        return False
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def check_loopback(address: str, *, about: str) -> str:
    """The address itself, or ValueError: it is no absolute http address on this machine."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not is_loopback(parts.hostname):
        raise ValueError(f"{about} must be an http address on loopback: {address}")
    if parts.fragment or parts.username is not None:
        raise ValueError(f"{about} must have no fragment and no user: {address}")
    return address


def origin_of(address: str) -> str:
    """Scheme, host and port, as in an `Origin` header."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
