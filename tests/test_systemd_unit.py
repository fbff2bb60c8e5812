"""The unit for systemd: its division of work, and that systemd and the program understand it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.peers.programs import missing

UNIT: Final = Path(__file__).parents[1] / "contrib/systemd/restante.service"
MOST_EXPOSURE: Final = 2.0  # of 10, by systemd's own rating; network and port 25 are left

Ended = subprocess.CompletedProcess[str]


def analyze(*words: str | Path) -> Ended:
    program = shutil.which("systemd-analyze") or missing(
        "systemd-analyze is not installed: run ci/install-peers"
    )
    command = [program, *map(str, words)]
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=60
    )


def settings() -> dict[str, list[str]]:
    """Return the unit's settings; most stand once."""
    found: dict[str, list[str]] = {}
    for line in UNIT.read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_little_is_left_to_the_server() -> None:
    ended = analyze("security", "--offline=true", f"--threshold={int(MOST_EXPOSURE * 10)}", UNIT)
    rating = re.search(r"Overall exposure level for restante\.service: ([\d.]+)", ended.stdout)
    assert rating is not None, ended.stderr
    assert float(rating[1]) <= MOST_EXPOSURE, ended.stdout
    assert ended.returncode == 0


def test_systemd_knows_every_setting(tmp_path: Path) -> None:
    """With a real program in place of ours. systemd ignores a misspelled setting and warns here."""
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/restante/bin/restante", sys.executable))
    ended = analyze("verify", "--man=no", unit)
    complaints = [
        line for line in ended.stderr.splitlines() if UNIT.name in line
    ]  # other units are not ours
    assert complaints == []


def test_the_program_understands_how_it_is_started() -> None:
    (command,) = settings()["ExecStart"]
    program, *words = command.split()
    assert Path(program).name == "restante"
    restante = Path(sys.executable).with_name("restante")
    ended = subprocess.run(
        [restante, *words, "--help"], check=False, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert "serve" in ended.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Type", "notify"),  # telemetry/service_manager.py
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("KillMode", "mixed"),
        ("User", "restante"),
        ("AmbientCapabilities", "CAP_NET_BIND_SERVICE"),
        ("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"),
        ("UMask", "0077"),
        ("LimitCORE", "0"),
        ("StateDirectory", "restante"),
        ("StateDirectoryMode", "0700"),
        ("RuntimeDirectory", "restante"),
        ("RuntimeDirectoryMode", "0700"),
    ],
)
def test_settings_that_the_server_and_the_guide_need(name: str, value: str) -> None:
    assert settings()[name] == [value]
