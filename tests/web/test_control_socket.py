"""The control socket itself: its modes, and the sockets that it replaces."""

import socket
import stat
from contextlib import ExitStack
from pathlib import Path

import pytest

from restante.web.control_socket import (
    DIRECTORY_MODE,
    SOCKET_MODE,
    ControlMisplaced,
    ControlUnusable,
    answers,
    open_control,
)


def test_a_socket_nobody_answers_on_is_replaced(directory: Path) -> None:
    path = directory / "control.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert not answers(path)
    open_control(path).close()


def test_a_file_that_is_no_socket_is_left_alone(directory: Path) -> None:
    path = directory / "control.sock"
    path.write_text("mail")
    with pytest.raises(ControlUnusable, match="not a socket"):
        open_control(path)
    assert path.read_text() == "mail"


def test_a_directory_that_others_may_write_to_is_refused(directory: Path) -> None:
    directory.chmod(0o777)
    with pytest.raises(ControlUnusable, match="chmod 700"):
        open_control(directory / "control.sock")


def test_a_path_that_is_too_long_is_said_so(directory: Path) -> None:
    with pytest.raises(ControlUnusable, match="name another"):
        open_control(directory / ("s" * 120))


def test_a_socket_has_its_mode_from_the_first_moment(directory: Path) -> None:
    path = directory / "made" / "control.sock"
    with open_control(path):
        assert stat.S_IMODE(path.stat().st_mode) == SOCKET_MODE
        assert stat.S_IMODE(path.parent.stat().st_mode) == DIRECTORY_MODE
        assert answers(path)
        with pytest.raises(ControlUnusable, match=str(path)):
            open_control(path)
    assert path.exists()  # the next server replaces it


def test_the_socket_of_a_frozen_server_is_not_taken_over(directory: Path) -> None:
    """The system queues connections to a server that is stopped, until the queue is full."""
    path = directory / "control.sock"
    with socket.socket(socket.AF_UNIX) as frozen, ExitStack() as queued:
        frozen.bind(str(path))
        frozen.listen(0)
        client = queued.enter_context(socket.socket(socket.AF_UNIX))
        client.connect(str(path))
        assert answers(path)
        with pytest.raises(ControlUnusable, match="another server is running there"):
            open_control(path)
    assert path.exists()


def test_only_a_server_that_runs_there_is_worth_another_try(directory: Path) -> None:
    path = directory / "control.sock"
    with open_control(path), pytest.raises(ControlUnusable) as running:
        open_control(path)
    assert not isinstance(running.value, ControlMisplaced)
    path.unlink()
    path.mkdir()
    with pytest.raises(ControlMisplaced, match="not a socket"):
        open_control(path)
