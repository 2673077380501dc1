"""The tests in a browser are skipped where there is none, and never where there must be one."""

import pytest

from tests.web.people.chromium import MANDATORY, find_chromium


def test_missing_browser_skips_with_one_line_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv(MANDATORY, raising=False)

    with pytest.raises(pytest.skip.Exception, match="no Chromium on PATH"):
        find_chromium()


def test_missing_browser_fails_where_there_must_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv(MANDATORY, "1")

    with pytest.raises(pytest.fail.Exception, match="INBOX_BROWSER says that there must be"):
        find_chromium()
