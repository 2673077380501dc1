"""What decides and stands in the settings, by digest: in the audit at each start.

A person who may edit the settings could name another trust folder, another supplier or a shorter
time of keeping. The digests say that something else was in force, and from when.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from inbox import audit
from inbox.config import Settings
from inbox.errors import ConfigurationError
from inbox.store import Transaction

_PARTS: Final = frozenset(
    {
        "access",
        "audit_copy",
        "gateways",
        "limits",
        "people",
        "providers",
        "revocation",
        "suppliers",
        "terms",
        "webhook_targets",
    }
)
_PASSWORDS: Final[Mapping[str, Any]] = {
    "gateways": {"__all__": {"password_file"}},
    "people": {"host", "port"},
    "providers": {"__all__": {"secret_file", "key_file", "certificate_file"}},
}
EVENT: Final = "settings:in_force"


def settings_digests(settings: Settings) -> Mapping[str, str]:
    """The digest of each part of the settings that decides, and of the files of the trust folder.

    Raises `ConfigurationError` for a trust folder that cannot be read.
    """
    values = settings.model_dump(mode="json", include=set(_PARTS), exclude=dict(_PASSWORDS))
    found = {
        name: hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        for name, value in values.items()
    }
    found["trust"] = _folder_digest(settings.trust)
    found["schemas"] = _folder_digest(settings.schemas)
    found["tls_ca_file"] = _file_digest(settings.tls_ca_file)
    return dict(sorted(found.items()))


def record_settings(tx: Transaction, settings: Settings) -> None:
    """Note in the audit what is in force from this start on."""
    for part, digest in settings_digests(settings).items():
        audit.record(tx, audit.Entry(event=EVENT, who="operator", subject=part, became=digest))


def _file_digest(path: Path | None) -> str:
    """The digest of a file's bytes; of nothing without a file."""
    try:
        return hashlib.sha256(b"" if path is None else path.read_bytes()).hexdigest()
    except OSError as error:
        raise ConfigurationError("config.tls_ca_file", type(error).__name__) from error


def _folder_digest(folder: Path | None) -> str:
    """The digest of the names and bytes of all files in a folder; of nothing without a folder."""
    digest = hashlib.sha256()
    if folder is not None:
        try:
            paths = sorted(path for path in folder.rglob("*") if path.is_file())
            for path in paths:
                name = path.relative_to(folder).as_posix()
                for part in (name.encode(errors="surrogateescape"), path.read_bytes()):
                    digest.update(len(part).to_bytes(8, "big") + part)
        except OSError as error:
            raise ConfigurationError("config.folder", type(error).__name__) from error
    return digest.hexdigest()
