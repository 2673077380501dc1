"""The public sample files, for the tests that are marked `samples`."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder that INBOX_SAMPLES names; unset skips, set and absent fails."""
    named = os.environ.get("INBOX_SAMPLES")
    if named is None:
        pytest.skip("INBOX_SAMPLES is not set")
    folder = Path(named)
    assert (folder / "asic").is_dir(), "INBOX_SAMPLES names no folder of samples"
    return folder
