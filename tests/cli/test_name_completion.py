"""Names for the tab key: from the server that answers, and none from one that does not."""

import signal
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from restante.cli import name_completion
from restante.cli.name_completion import NameKind, messages_before, name_before, served_names
from restante.mail.message import message_number
from tests.admin.admin_world import AdminWorld
from tests.cli.test_socket_request import CannedServer, answer, place, server
from tests.whole_request import read_request

__all__ = ["place", "server"]  # fixtures


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_completion, "ANSWER_SECONDS", 60)


def test_the_running_server_names_accounts_domains_and_messages(filled: AdminWorld) -> None:
    asked = {
        kind: served_names(kind, "", account="alpha", config=None, socket=None) for kind in NameKind
    }
    assert asked[NameKind.ACCOUNT] == ["alpha", "beta"]
    assert asked[NameKind.DOMAIN] == ["alpha.example", "beta.example"]
    assert len(asked[NameKind.MESSAGE]) == 4
    for kind in (NameKind.TOKEN, NameKind.CHANNEL, NameKind.NODE, NameKind.PORTAL_USER):
        assert asked[kind] == []


def test_records_are_named_as_commands_take_them(server: CannedServer, place: Path) -> None:
    for kind, key in {
        NameKind.LOGIN: "user",
        NameKind.TOKEN: "id",
        NameKind.CHANNEL: "name",
        NameKind.PORTAL_USER: "email",
    }.items():
        server.answers = [answer(f'[{{"{key}": "one", "other": "two"}}]'.encode())]
        assert served_names(kind, "", config=None, socket=place) == ["one"]


def test_a_message_is_sought_at_its_first_letters(
    filled: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if so many older ones are held that a listing from the start would end before it."""
    monkeypatch.setattr(name_completion, "_LENGTHS", (1, 2))
    every = served_names(NameKind.MESSAGE, "", config=None, socket=None)
    last = every[-1]
    assert served_names(NameKind.MESSAGE, last, config=None, socket=None) == [last]
    assert served_names(NameKind.MESSAGE, "!", config=None, socket=None) == []


def test_the_names_before_are_those_of_each_length() -> None:
    for before, length in zip(messages_before("1k1g"), (11, 12), strict=True):
        first = "1k1g".ljust(length, "0")
        assert message_number(before) == message_number(first) - 1
    assert [*messages_before("no message")] == []


def test_a_listing_begins_at_the_letters_that_are_there(filled: AdminWorld) -> None:
    assert served_names(NameKind.DOMAIN, "b", config=None, socket=None) == ["beta.example"]
    assert served_names(NameKind.DOMAIN, "beta.example", config=None, socket=None) == [
        "beta.example"
    ]
    assert served_names(NameKind.DOMAIN, "a", config=None, socket=None)[0] == "alpha.example"


@pytest.mark.parametrize("beginning", ["b", "be", "beta.example", "0", "-"])
def test_the_name_before_sorts_before_all_with_that_beginning(beginning: str) -> None:
    assert name_before(beginning) < beginning


@pytest.mark.parametrize("octets", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 403 Forbidden\r\n\r\n"])
def test_another_answer_gives_no_names(server: CannedServer, octets: bytes) -> None:
    server.answers = [octets]
    assert served_names(NameKind.DOMAIN, "", config=None, socket=None) == []


def test_the_socket_that_the_command_names_is_asked(server: CannedServer, place: Path) -> None:
    server.answers = [answer(b'[{"name": "a.example"}]')]
    elsewhere = place.with_name("other.sock")
    assert served_names(NameKind.DOMAIN, "", config=None, socket=elsewhere) == []
    assert served_names(NameKind.DOMAIN, "", config=None, socket=place) == ["a.example"]


def test_a_server_that_is_silent_is_soon_given_up(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_completion, "ANSWER_SECONDS", 0.01)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        assert served_names(NameKind.DOMAIN, "", config=None, socket=place) == []


def test_an_answer_without_end_is_given_up_too(
    server: CannedServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(name_completion, "ANSWER_SECONDS", 0.05)

    def send_for_ever(connection: socket.socket) -> bytes:
        read_request(connection)
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b" " * 4096)
        return b""

    server.answers, server.read = [b""], send_for_ever
    former = signal.getsignal(signal.SIGALRM)
    assert served_names(NameKind.DOMAIN, "", config=None, socket=place) == []
    assert signal.getsignal(signal.SIGALRM) is former
