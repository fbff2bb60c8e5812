"""Debian's Chromium, where it is installed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

PROGRAM: Final = shutil.which("chromium")
NEEDS_CHROMIUM: Final = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("RESTANTE_REQUIRE_PEERS") != "1",
    reason="Chromium is missing: apt install chromium",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser while the block runs."""
    assert PROGRAM is not None, "Chromium is missing: run ci/install-peers"
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
