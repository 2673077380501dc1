"""Where a revocation list may be asked for."""

from urllib.parse import urlsplit


def is_address(url: str) -> bool:
    """Whether a list can be asked for there: http or https, a host, no credentials."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
        )
    except ValueError:
        return False
