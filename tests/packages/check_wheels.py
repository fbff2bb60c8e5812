"""Each library of a server has a wheel for ARM64 and for musl, so that pip builds nothing there.

`ci/install-packaging` has downloaded the wheels. Nothing of them is run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.peers.programs import missing
from tests.packages.clean_tree import PLACE, kept
from tests.packages.elsewhere import ALL, download

WHEELS: Final = PLACE / "elsewhere"


@pytest.mark.parametrize(("machine", "version", "lock"), ALL)
def test_each_library_has_a_wheel(
    machine: str, version: str, lock: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (WHEELS / ".recipe").exists():
        missing(f"there are no wheels in {WHEELS}: run make packages-test ONLY=wheels")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    with kept():
        found = download(
            machine, version, lock, tmp_path, "--no-index", "--find-links", str(WHEELS)
        )
    assert found.returncode == 0, found.stdout
    assert any(tmp_path.glob("cryptography-*.whl"))
