"""Where a message came from: the name of its client, asked of a name server on loopback."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.sample import message
from tests.acceptance.session import Session

LOOKS_UP: Final = "[reception]\nptr = true\n"
SENT: Final = "reader@origin.example"


def reverse(address: str) -> str:
    """Return the name under which DNS keeps the PTR record of an address."""
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS as the server under test sees it."""
    with NameServer({}) as names:
        yield names


@pytest.fixture(scope="module")
def restante(names: NameServer) -> Iterator[Installation]:
    """An installation that looks the names of clients up there."""
    with Installation(more=names.settings + LOOKS_UP) as restante:
        restante.start()
        restante.hosts("origin.example", "127.0.0.1:9")
        yield restante


def bring(restante: Installation, source: str) -> tuple[dict[str, Any], float]:
    """Bring a message from an address; return how it is shown, and the seconds up to its 250."""
    with Session(restante.mx, source=source, hello="client.example") as session:
        for line in ("MAIL FROM:<a@sender.example>", f"RCPT TO:<{SENT}>"):
            assert session.say(line).startswith(b"250")
        assert session.say("DATA").startswith(b"354")
        began = time.monotonic()
        reply = session.say(message("a message").decode() + ".")
        seconds = time.monotonic() - began
    assert reply.startswith(b"250")
    name = reply.split()[-1].decode()
    return restante.shown("queue", "show", name), seconds


def test_the_name_of_each_client_is_kept_with_its_mail(
    restante: Installation, names: NameServer
) -> None:
    right, wrong, nameless, broken = addresses(4)
    names.records = {
        reverse(right): {"PTR": ["mx.client.example."]},
        reverse(wrong): {"PTR": ["mx.client.example."]},
        "mx.client.example": {"A": [right]},
    }
    names.failing = {reverse(broken)}
    found = {}
    for source in (right, wrong, nameless, broken):
        shown, _ = bring(restante, source)
        origin = shown["origin"]
        assert (origin["address"], origin["hello"]) == (source, "client.example")
        found[source] = origin["ptr"], origin["host_name"]
        text = restante.do("queue", "show", shown["name"])
        assert "host-name" in text
    assert found == {
        right: ("confirmed", "mx.client.example"),
        wrong: ("unconfirmed", "mx.client.example"),
        nameless: ("none", ""),
        broken: ("failed", ""),
    }


def test_a_silent_name_server_costs_a_client_two_seconds_once() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver = f'[resolver]\nnameservers = ["127.0.0.1:{silent.getsockname()[1]}"]\n'
        with Installation(more=resolver + LOOKS_UP) as restante:
            restante.start()
            restante.hosts("origin.example", "127.0.0.1:9")
            [source] = addresses(1)
            shown, seconds = bring(restante, source)
            assert shown["origin"]["ptr"] == "failed"
            assert 1.9 < seconds < 30  # a busy machine adds some
