"""Files that start a command: each in the form of its program."""

from __future__ import annotations

import subprocess
from configparser import RawConfigParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from restante_client.watch_files import (
    network_manager_hook,
    systemd_service,
    systemd_timer,
    windows_task,
)
from tests.acceptance.peers.programs import require

COMMAND = [
    *("/opt/restante client.pyz", "turn", "mx2.example.net", "--login", 'a"c%me$'),
    *("--password-file", "/etc/restante-password"),
]


def sections(text: str) -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser


def test_a_unit_gets_the_password_as_a_credential() -> None:
    found = sections(systemd_service(COMMAND))
    assert found["Service"]["LoadCredential"] == "password:/etc/restante-password"
    assert found["Service"]["ExecStart"] == (
        '"/opt/restante client.pyz" turn mx2.example.net --login "a\\"c%%me$$"'
        " --password-file credential:password"
    )
    assert sections(systemd_timer(600))["Timer"]["OnUnitInactiveSec"] == "600s"


@pytest.mark.parametrize("name", ["password-file", "token-file", "certificate", "key"])
def test_a_secret_in_one_word(name: str) -> None:
    found = sections(systemd_service(["/bin/x", f"--{name}=/etc/p"]))
    credential = name.partition("-")[0]
    assert found["Service"]["LoadCredential"] == f"{credential}:/etc/p"
    assert found["Service"]["ExecStart"] == f"/bin/x --{name}=credential:{credential}"


def test_a_certificate_and_its_key_are_two_credentials() -> None:
    text = systemd_service(["/bin/x", "--certificate", "/etc/c", "--key", "/etc/k", "--key"])
    assert "LoadCredential=certificate:/etc/c\nLoadCredential=key:/etc/k\n" in text
    assert "--certificate credential:certificate --key credential:key --key\n" in text


def test_systemd_reads_the_units(tmp_path: Path) -> None:
    files = {
        "restante-client.service": systemd_service(["/bin/true", *COMMAND[1:]]),
        "restante-client.timer": systemd_timer(600),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    ended = subprocess.run(
        [require("systemd-analyze"), "verify", "--man=no", *(tmp_path / name for name in files)],
        capture_output=True,
        text=True,
        check=False,
    )
    told = [line for line in ended.stderr.splitlines() if "restante-client" in line]
    assert told == []


def test_the_hook_is_a_script_of_the_shell(tmp_path: Path) -> None:
    hook = tmp_path / "hook"
    hook.write_text(network_manager_hook(["/bin/echo", "two words", "it's"]))
    for action, printed in (
        ("up", "two words it's\n"),
        ("down", ""),
        ("vpn-up", "two words it's\n"),
    ):
        ended = subprocess.run(
            ["/bin/sh", hook, "eth0", action], capture_output=True, text=True, check=True
        )
        assert ended.stdout == printed


def test_the_task_is_xml() -> None:
    text = windows_task(["C:\\Program Files\\py & co\\python.exe", "a b", "c"], 90)
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    task = ET.fromstring(text)
    assert task.findtext(f".//{space}Command") == "C:\\Program Files\\py & co\\python.exe"
    assert task.findtext(f".//{space}Arguments") == '"a b" c'
    assert task.findtext(f".//{space}Interval") == "PT2M"
    query = ET.fromstring(task.findtext(f".//{space}Subscription") or "")
    assert query.tag == "QueryList"
