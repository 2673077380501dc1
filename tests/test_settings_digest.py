"""The digests of what decides in the settings: each change shows in one part, no secret in any."""

from pathlib import Path

import pytest

from inbox.config import Settings
from inbox.settings_digest import settings_digests


def settings(folder: Path, **more: object) -> Settings:
    base = {"database": "sqlite:///x.db", "vault": folder, "keys": folder, "trust": folder}
    return Settings.model_validate({**base, "checkpoints": folder / "c", **more})


def changed(before: Settings, after: Settings) -> set[str]:
    old, new = settings_digests(before), settings_digests(after)
    return {part for part in new if new[part] != old[part]}


GATEWAY = {"channel": "ip", "url": "http://127.0.0.1:1", "organisations": ["910075918"]}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("suppliers", [{"signer": "910075918", "sender": "910077473"}]),
        ("terms", {"keep_content_days": 1}),
        ("limits", {"entries": 999}),
        ("access", {"opens_per_person_hour": 1000}),
        ("revocation", {"fetch_minutes": 5}),
        ("gateways", [GATEWAY]),
    ],
)
def test_each_part_of_the_settings_has_a_digest_of_its_own(
    tmp_path: Path, part: str, value: object
) -> None:
    assert changed(settings(tmp_path), settings(tmp_path, **{part: value})) == {part}


def test_digest_of_trust_covers_names_and_bytes_of_the_folder(tmp_path: Path) -> None:
    before = settings_digests(settings(tmp_path))
    (tmp_path / "root.pem").write_bytes(b"one")
    with_one = settings_digests(settings(tmp_path))
    (tmp_path / "root.pem").write_bytes(b"two")

    with_two = settings_digests(settings(tmp_path))

    assert len({before["trust"], with_one["trust"], with_two["trust"]}) == 3
