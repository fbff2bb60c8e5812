"""S1 on port 25: the server binds as root and is a plain user from then on."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.ports import is_free
from tests.acceptance.peers.programs import require_plain_user
from tests.acceptance.sample import message, send

USER: Final = "nobody"
AWAY: Final = "127.0.0.1:9"


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation on a port that only root may bind, with a plain user to become."""
    require_plain_user(USER)
    port = next(port for port in range(1023, 512, -1) if is_free(HOST, port))
    with Installation(user=USER, mx_port=port) as restante:
        restante.hosts("alpha.example", AWAY)  # by root, with the server down
        restante.start()
        yield restante


def test_the_server_keeps_nothing_of_root(restante: Installation) -> None:
    """No root user or group, and no root file in the store: an intruder would be a plain user."""
    user = pwd.getpwnam(USER)
    send(restante.mx, "reader@alpha.example", content=message("to a plain user"))

    status = process_status(restante.pid)
    assert set(status["Uid"]) == {str(user.pw_uid)}  # real, effective, saved, for files
    assert set(status["Gid"]) == {str(user.pw_gid)}
    assert set(status["Groups"]) <= {str(group) for group in os.getgrouplist(USER, user.pw_gid)}
    assert {file.owner() for file in restante.socket.parent.rglob("*")} == {USER}


def test_the_plain_user_can_start_again_and_reload(restante: Installation) -> None:
    """It can use its own files the next time, and root's commands reach it."""
    restante.hosts("beta.example", AWAY)
    restante.stop()

    restante.start()
    restante.reload()
    send(restante.mx, "reader@beta.example", content=message("again"))
    assert restante.held("beta.example") == 1


def test_roots_commands_find_the_plain_users_server_after_its_socket_is_edited(
    restante: Installation,
) -> None:
    right = restante.config.read_text()
    restante.config.write_text(f'control_socket = "other.sock"\n{right}')
    try:
        shown = restante.run("status")
    finally:
        restante.config.write_text(right)
    assert (shown.returncode, "still answers on" in shown.stderr) == (0, True), shown.stderr


def test_an_edit_that_the_plain_user_may_not_read_is_told_nevertheless(
    restante: Installation,
) -> None:
    """The server cannot tell which settings differ, and a reload could not read them."""
    right = restante.config.read_text()
    restante.config.chmod(0o600)
    os.chown(restante.config, 0, 0)
    restante.stop()
    restante.start()
    try:
        assert not restante.shown("status")["configuration"]["is_file_changed"]
        restante.config.write_text(f"{right}# an edit\n")
        assert restante.shown("status")["configuration"]["is_file_changed"]
        assert "the server may not read it: restart the server" in restante.do("status")
    finally:
        restante.config.write_text(right)
        os.chown(restante.config, pwd.getpwnam(USER).pw_uid, -1)


def process_status(pid: int) -> dict[str, list[str]]:
    """Return what the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: values.split() for name, _, values in (line.partition(":") for line in lines)}
