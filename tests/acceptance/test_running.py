"""The server as a program: signals, a second start, commands, and broken configurations."""

from __future__ import annotations

import re
import smtplib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.acceptance.installation import Ended, Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.server import Server
from tests.acceptance.sample import REVERSE_PATH, message, send
from tests.acceptance.session import Session

AWAY: Final = "127.0.0.1:9"
UNAVAILABLE: Final = 69  # exit codes of `restante`
NOT_CONFIGURED: Final = 78
SENDERS: Final = 8
SHUTTING_DOWN: Final = b"421 4.3.2 mx2.example.net shutting down, try again later\r\n"


@pytest.fixture(scope="module")
def installed() -> Iterator[Installation]:
    """An installation with a domain."""
    with Installation() as restante:
        restante.hosts("alpha.example", AWAY)
        yield restante


@pytest.fixture
def restante(installed: Installation) -> Iterator[Installation]:
    """It is running, and has its configuration back after each test."""
    text = installed.config.read_text()
    if not installed.is_running:
        installed.start()
    yield installed
    installed.config.write_text(text)


def held(restante: Installation) -> set[str]:
    """Return the names of all that is held."""
    return {queued["name"] for queued in restante.shown("queue", "list", "--limit", "100000")}


def complaints(ended: Ended) -> list[str]:
    """Return what a command said against something, warnings and log aside."""
    return [
        line
        for line in ended.stderr.splitlines()
        if not line.startswith(("{", "restante: warning: "))
    ]


# Signals


def test_sighup_in_the_middle_of_content_is_not_noticed_there(restante: Installation) -> None:
    """The session ends as it began; the next one meets the new certificate and the new settings."""
    before, text = restante.smtps, restante.config.read_text()
    had = held(restante)
    with Session(restante.starttls) as session:
        assert b"250-SIZE 52428800\r\n" in session.offer
        session.say(f"MAIL FROM:<{REVERSE_PATH}>")
        session.say("RCPT TO:<reader@alpha.example>")
        session.say("DATA")
        session._socket.sendall(b"Subject: in two parts\r\n\r\nfirst\r\n")
        restante.certify()
        restante.config.write_text(f"{text}\n[reception]\nmessage_size_limit = 65536\n")
        restante.reload()
        assert session.say("second\r\n.").startswith(b"250 2.0.0 OK, held as ")
        assert b"250-SIZE 52428800\r\n" in session.say("EHLO again.example")

    for server in (restante.starttls, restante.smtps):
        with Session(server) as session:
            assert b"250-SIZE 65536\r\n" in session.offer
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        Session(before)
    assert len(held(restante) - had) == 1


def test_sigterm_tells_everybody_who_is_owed_nothing(restante: Installation) -> None:
    """Idle, in a transaction, in content, under TLS: 421, and unacknowledged mail is not held."""
    had = held(restante)
    with (
        Session(restante.mx) as idle,
        Session(restante.smtps) as secure,
        Session(restante.mx) as sending,
        Session(restante.starttls) as in_content,
    ):
        for session in (sending, in_content):
            session.say(f"MAIL FROM:<{REVERSE_PATH}>")
            session.say("RCPT TO:<reader@alpha.example>")
        in_content.say("DATA")
        in_content._socket.sendall(b"Subject: never finished\r\n\r\nfirst\r\n")
        restante.stop()
        assert [session._reply() for session in (idle, secure, sending, in_content)] == [
            SHUTTING_DOWN
        ] * 4
    assert held(restante) == had


def test_sigterm_under_load_keeps_what_was_acknowledged(restante: Installation) -> None:
    """It ends in good order, and each message whose sender was told so is held."""
    had, told = held(restante), list[str]()
    senders = [
        threading.Thread(target=send_until_it_ends, args=(restante.mx, told))
        for _ in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    eventually(lambda: len(told) > 100, what="some mail")
    restante.stop()
    for sender in senders:
        sender.join()

    new = held(restante) - had
    assert set(told) <= new
    assert len(new) <= len(told) + SENDERS  # the last 250 may not have arrived


def send_until_it_ends(server: Server, told: list[str]) -> None:
    """Be a sender that takes note of the names it is told."""
    try:
        with smtplib.SMTP(server.host, server.port, "sender.example", timeout=90) as client:
            client.ehlo()
            while True:
                client.mail(REVERSE_PATH)
                client.rcpt("reader@alpha.example")
                _, reply = client.data(message("load"))
                told += re.findall("held as (.+)", reply.decode())
    except (smtplib.SMTPException, OSError):
        pass


# A second start


def test_a_second_server_on_the_same_store_does_not_start(restante: Installation) -> None:
    """On the same ports or on others: one line says who is there, and the first one goes on."""
    second = restante.directory / "second.toml"
    text = restante.config.read_text()
    for port in (restante.mx_port, restante.smtps_port, restante.odmr_port, restante.web_port):
        text = text.replace(f":{port}", f":{free_port()}")
    second.write_text(text)

    for config, cause in (
        (restante.config, "Address already in use"),
        (second, f"in use by process {restante.pid}"),
    ):
        refused = restante.run("serve", "--config", str(config))
        assert refused.returncode == UNAVAILABLE
        [line] = complaints(refused)
        assert line.startswith("restante: ")
        assert cause in line
    send(restante.mx, "reader@alpha.example", content=message("to the first"))


# The command line


def test_the_command_line_says_the_same_with_and_without_the_server(restante: Installation) -> None:
    """As text and as JSON; only what runs is not there without it."""
    restante.hosts(
        "beta.example",
        "mail.beta.example:2525",
        account="beta",
        allow=["192.0.2.0/24", "beta.example"],
    )
    send(restante.mx, "one@alpha.example", "two@alpha.example", content=message("held"))
    name = max(held(restante))
    commands = [
        ("account", "list"),
        ("domain", "list"),
        ("domain", "show", "beta.example", "--json"),
        ("queue", "list", "alpha.example", "--status", "held", "--larger", "10"),
        ("queue", "show", name),
        ("audit", "--json"),
    ]
    with_server = {words: restante.do(*words) for words in commands}
    status = restante.shown("status")
    assert status["is_running"]
    assert {listener["service"] for listener in status["listeners"]} == {
        "mx",
        "smtps",
        "web",
        "odmr",
    }
    restante.stop()

    assert {words: restante.do(*words) for words in commands} == with_server
    stopped = restante.shown("status")
    assert stopped["at"] >= status["at"]
    [problem] = stopped["health"]["problems"]
    assert stopped["health"]["level"] == problem["level"] == "critical"
    assert "no server is running" in problem["text"]
    unscrubbed = {"scrubbed_at": None, "is_scrub_under_way": False, "scrubbed_messages": 0}
    without = {"is_running": False, "listeners": [], "drains": [], "configuration": None}
    without |= {"room": None, "door": None}
    same = {**status, **without, "store": {**status["store"], **unscrubbed}}
    assert stopped == {**same, "at": stopped["at"], "health": stopped["health"]}


def test_offline_changes_hold_when_the_server_starts(restante: Installation) -> None:
    """Domains, logins and the queue. Commands that need a running server say so."""
    send(restante.mx, "reader@alpha.example", content=message("to be deleted"))
    restante.stop()
    login = restante.hosts("gamma.example", AWAY, account="gamma")
    had = held(restante)
    restante.do("queue", "delete", max(had), "--reason", "a test", "--yes")
    refused = restante.run("release", "alpha.example")
    assert refused.returncode == UNAVAILABLE
    assert len(complaints(refused)) == 1

    restante.start()
    send(restante.mx, "reader@gamma.example", content=message("to a new domain"))
    assert restante.held("gamma.example") == 1
    assert len(held(restante)) == len(had)
    with Session(restante.smtps) as session:
        assert session.authenticate(login).startswith(b"235")


# The configuration

Break = Callable[[str, Path], str]


def in_its_text(text: str, directory: Path) -> str:
    """Have three things wrong: an unknown key, a value that is none, an address without a port."""
    text = text.replace("minimum =", "minimal =").replace('style = "json"', 'style = "verse"')
    return re.sub(r'address = "127\.0\.0\.1:\d+"', 'address = "127.0.0.1"', text, count=1)


def in_its_files(text: str, directory: Path) -> str:
    """Name a certificate and a store that are not there."""
    text = text.replace('"tls/cert.pem"', f'"{directory}/no-certificate.pem"')
    return text.replace('store = "sqlite:data"', 'store = "sqlite:no-data"')


def no_toml(text: str, directory: Path) -> str:
    """Have a line that is no TOML."""
    return f"{text}\nthis is no TOML\n"


@pytest.mark.parametrize(
    ("break_it", "named"),
    [
        (in_its_text, ["minimal", "verse", "127.0.0.1"]),
        (in_its_files, ["no-certificate.pem", "no-data"]),
        (no_toml, ["TOML"]),
    ],
)
def test_a_broken_configuration_is_told_line_by_line_and_nothing_starts(
    restante: Installation, break_it: Break, named: list[str]
) -> None:
    """A line with file and line number for each error, before the running server is touched."""
    broken = restante.directory / "broken.toml"
    broken.write_text(break_it(restante.config.read_text(), restante.directory))
    refused = restante.run("serve", "--config", str(broken))

    assert refused.returncode == NOT_CONFIGURED
    assert refused.stdout == ""
    lines = refused.stderr.splitlines()
    assert len(lines) == len(named)
    for line in lines:
        assert re.match(rf"restante: {re.escape(str(broken))}:\d+: ", line)
    for what in named:
        assert any(what in line for line in lines)
