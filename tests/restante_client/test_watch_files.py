"""Files that start a command: each in the form of its program."""

from __future__ import annotations

import os
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
    logger = tmp_path / "logger"
    logger.write_text('#!/bin/sh\necho "$*:"\ncat\n')
    logger.chmod(0o755)
    logged = "-t restante-client:\ntwo words it's\n"
    for action, state, printed in (
        ("up", "", logged),
        ("down", "", ""),
        ("vpn-up", "", logged),
        ("dhcp4-change", "", logged),
        ("connectivity-change", "FULL", logged),
        ("connectivity-change", "NONE", ""),
        ("connectivity-change", "PORTAL", ""),
    ):
        ended = subprocess.run(
            ["/bin/sh", hook, "eth0", action],
            capture_output=True,  # until the last of its children has ended
            text=True,
            check=True,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "CONNECTIVITY_STATE": state},
        )
        assert ended.stdout == printed


def test_the_hook_does_not_wait_for_its_command(tmp_path: Path) -> None:
    hook, go = tmp_path / "hook", tmp_path / "go"
    os.mkfifo(go)
    hook.write_text(network_manager_hook(["/bin/cat", str(go)]))
    subprocess.run(["/bin/sh", hook, "eth0", "up"], check=True, timeout=20)
    go.write_text("on")  # the command still reads


# The order in which the schema of the Task Scheduler wants the elements of a trigger.
_BASE = ["Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit"]
_ORDER = {
    "BootTrigger": [*_BASE, "Delay"],
    "EventTrigger": [*_BASE, "Subscription", "Delay"],
}


@pytest.mark.parametrize(("seconds", "interval"), [(1, "PT1M"), (600, "PT10M"), (9e9, "PT44640M")])
def test_the_task_is_as_its_schema_wants(seconds: int, interval: str) -> None:
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    task = ET.fromstring(windows_task(["C:\\restante-client.exe"], seconds))
    assert {one.tag.replace(space, "") for one in task} == {
        *("Triggers", "Principals", "Settings", "Actions")
    }
    for name, order in _ORDER.items():
        [trigger] = task.iter(f"{space}{name}")
        places = [order.index(one.tag.replace(space, "")) for one in trigger]
        assert places == sorted(set(places))
    assert task.findtext(f".//{space}Interval") == interval  # of one minute to 31 days
    [principal] = task.iter(f"{space}Principal")
    [actions] = task.iter(f"{space}Actions")
    assert actions.get("Context") == principal.get("id")


def test_words_of_a_task_are_quoted_as_windows_programs_read_them() -> None:
    text = windows_task(["x.exe", "", 'a"c', "C:\\my dir\\", "--login=b"], 60)
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    found = ET.fromstring(text).findtext(f".//{space}Arguments")
    assert found == '"" a\\"c "C:\\my dir\\\\" --login=b'


def test_the_task_is_xml() -> None:
    text = windows_task(["C:\\Program Files\\py & co\\python.exe", "a b", "c"], 90)
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    task = ET.fromstring(text)
    assert task.findtext(f".//{space}Command") == "C:\\Program Files\\py & co\\python.exe"
    assert task.findtext(f".//{space}Arguments") == '"a b" c'
    assert task.findtext(f".//{space}Interval") == "PT2M"
    query = ET.fromstring(task.findtext(f".//{space}Subscription") or "")
    assert query.tag == "QueryList"
