"""The tools of the system that a setup uses, in place of which scripts note their arguments."""

import errno
import os
import pwd
import socket
from pathlib import Path

import pytest

from restante.cli import setup_machine
from restante.cli.failures import Failure
from restante.cli.setup_machine import (
    find_unit,
    look_at_machine,
    make_backup_directory,
    make_user,
    start_unit,
    unit_text,
    unix_account,
    unusable_addresses,
    why_no_unit,
)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the only programs of the machine."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


def tool(directory: Path, name: str, *, says: str = "", code: int = 0) -> Path:
    """Make a program that notes its arguments, and return the file with them."""
    noted = directory / f"{name}.noted"
    script = directory / name
    script.write_text(
        f'#!/bin/sh\necho "$*" >>{noted}\n[ -z "{says}" ] || echo "{says}" >&2\nexit {code}\n'
    )
    script.chmod(0o755)
    return noted


def test_a_user_is_made_by_useradd(tools: Path) -> None:
    noted = tool(tools, "useradd")
    tool(tools, "adduser")
    make_user("restante", Path("/var/lib/restante"))
    words = noted.read_text().split()
    assert words[:4] == ["--system", "--user-group", "--home-dir", "/var/lib/restante"]
    assert words[-1] == "restante"
    assert not (tools / "adduser.noted").exists()


def test_a_user_is_made_by_adduser_of_busybox(tools: Path) -> None:
    noted = tool(tools, "adduser")
    make_user("restante", Path("/var/lib/restante"))
    assert noted.read_text().startswith("-S -D -H -h /var/lib/restante -s ")


def test_a_system_without_tools_is_told_what_to_do(tools: Path) -> None:
    with pytest.raises(Failure, match="make user restante by the tool of your system"):
        make_user("restante", Path("/var/lib/restante"))


def test_the_error_of_a_tool_is_shown_in_one_line(tools: Path) -> None:
    tool(tools, "useradd", says="useradd: cannot lock /etc/passwd", code=1)
    with pytest.raises(Failure, match="cannot lock /etc/passwd; correct that, then run this again"):
        make_user("restante", Path("/x"))


def test_the_unit_is_started_now_and_at_each_boot(tools: Path) -> None:
    noted = tool(tools, "systemctl")
    start_unit()
    assert noted.read_text() == "daemon-reload\nenable --now restante.service\n"


def test_the_directory_of_backups_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "backups" / "restante"
    monkeypatch.setattr(setup_machine, "BACKUPS", place)
    make_backup_directory(pwd.getpwuid(os.geteuid()))
    assert (place.stat().st_mode & 0o777, place.stat().st_uid) == (0o700, os.geteuid())
    place.chmod(0o750)
    make_backup_directory(pwd.getpwuid(os.geteuid()))
    assert place.stat().st_mode & 0o777 == 0o750


def test_a_unit_names_this_program_this_configuration_and_this_user() -> None:
    text = unit_text(Path("/opt/x/bin/restante"), Path("/etc/restante/restante.toml"), "mail", "m")
    lines = text.splitlines()
    assert "ExecStart=/opt/x/bin/restante --config /etc/restante/restante.toml serve" in lines
    assert "User=mail" in lines
    assert "Group=m" in lines
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in lines
    shown = unit_text(
        Path("/opt/restante/bin/restante"),
        Path("/etc/restante/restante.toml"),
        "restante",
        "restante",
    )
    contrib = Path(__file__).parents[2] / "contrib/systemd/restante.service"
    assert shown == contrib.read_text()


def test_a_unit_of_a_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, package = tmp_path / "own", tmp_path / "package"
    monkeypatch.setattr(setup_machine, "_UNITS", own)
    monkeypatch.setattr(setup_machine, "_UNITS_OF_PACKAGES", (package,))
    assert find_unit() is None
    package.mkdir()
    (package / "restante.service").touch()
    assert find_unit() == package / "restante.service"


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("/opt/restante/bin/restante", ""),
        ("/home/olga/bin/restante", "is under a home directory"),
        ("/root/.local/bin/restante", "is under a home directory"),
        ("/opt/my programs/restante", "has characters that a unit cannot have"),
    ],
)
def test_a_program_that_a_unit_cannot_start(program: str, why: str) -> None:
    assert why in why_no_unit(Path(program))
    assert bool(why) == bool(why_no_unit(Path(program)))


def test_an_address_that_is_in_use_is_named_with_its_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        [text] = unusable_addresses([f"127.0.0.1:{port}"])
    assert text.startswith(f"127.0.0.1:{port}: another program listens there; find it by `ss -ltnp")
    assert unusable_addresses([f"127.0.0.1:{port}"]) == []


def test_an_address_of_no_machine_here_is_named() -> None:
    [text] = unusable_addresses(["240.0.0.1:2525"])
    assert text.endswith("; choose an address of this machine")


def test_a_port_for_root_alone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(setup_machine, "_bind", refuse)
    assert unusable_addresses(["127.0.0.1:25"]) == [
        "127.0.0.1:25: only root may listen there; run this as root, or choose a port above 1023"
    ]


def test_the_facts_of_this_machine() -> None:
    facts = look_at_machine()
    assert facts.is_root == (os.geteuid() == 0)
    assert unix_account(facts.user) is not None
    assert facts.home.is_absolute()
    assert unix_account("no-such-user") is None


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    monkeypatch.delenv("HOME")
    facts = look_at_machine()
    assert (facts.user, facts.home, facts.is_root) == ("4000000000", Path.cwd(), False)
