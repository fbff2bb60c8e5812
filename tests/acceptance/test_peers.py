"""The peers by themselves, without Restante: each has the properties that other tests rely on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import trustme

from tests.acceptance.peers.aiosmtpd_server import AiosmtpdPrimary
from tests.acceptance.peers.chasquid import ChasquidPrimary
from tests.acceptance.peers.courier import CourierPrimary
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.exim import EximPrimary
from tests.acceptance.peers.mailbox import content_below, fields_above
from tests.acceptance.peers.node_servers import HarakaPrimary, SmtpServerPrimary
from tests.acceptance.peers.opensmtpd import OpensmtpdPrimary
from tests.acceptance.peers.ports import free_port, is_free
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import KeyPair, Primary
from tests.acceptance.peers.programs import PLACES, require, run
from tests.acceptance.peers.senders import smtp_source_sends, swaks_sends
from tests.acceptance.peers.sendmail import SendmailPrimary
from tests.acceptance.peers.server import Server, Tls
from tests.acceptance.peers.sink import SmtpSink

SUICIDE: Final = """
import os, signal
from tests.acceptance.peers.sink import SmtpSink
SmtpSink(port={port}).start()
os.kill(os.getpid(), signal.SIGKILL)
"""

NOBODY_LISTENS: Final = 2  # exit codes of swaks
NO_RECIPIENT_TAKEN: Final = 24

REVERSE_PATH: Final = "someone@sender.example"
FORWARD_PATH: Final = "reader@alpha.example"

# Content that careless servers change: dots, %-words, trailing space, From, long lines, odd octets.
OCTETS: Final = bytes(octet for octet in range(1, 256) if octet not in b"\r\n")
CONTENT: Final = b"\r\n".join(
    [
        b"X-Marker: first",
        b"From: <someone@sender.example>",
        b"Subject: folded",
        b"\t and  spaced ",
        b"",
        b".",
        b"..two",
        b"%FROM_ADDRESS% \\n ",
        OCTETS,
        b"x" * 990,
        b"",
        b"From the last line",
        b"",
    ]
)


PRIMARIES: Final[list[type[Primary]]] = [PostfixPrimary, EximPrimary]

# These change content on its way (a Date field, undisclosed-recipients …), so words are looked for.
OTHERS: Final[list[type[Primary]]] = [
    SendmailPrimary,
    OpensmtpdPrimary,
    CourierPrimary,
    ChasquidPrimary,
    HarakaPrimary,
    SmtpServerPrimary,
    AiosmtpdPrimary,
]


@pytest.fixture(params=PRIMARIES)
def primary(request: pytest.FixtureRequest) -> Iterator[Primary]:
    """A primary of each kind for alpha.example, running."""
    kind: type[Primary] = request.param
    with kind(["alpha.example"]) as primary:
        primary.start()
        yield primary


def send(primary: Primary, *forward_paths: str, content: bytes = CONTENT) -> int:
    """Send one message with swaks and return its exit code."""
    server = Server(primary.address, primary.port)
    return swaks_sends(
        server,
        reverse_path=REVERSE_PATH,
        forward_paths=forward_paths or [FORWARD_PATH],
        content=content,
    ).returncode


def test_sent_mail_lands_in_the_mailbox_byte_for_byte(primary: Primary) -> None:
    """The whole chain of a test (sender, primary, mailbox reader) leaves the content unchanged."""
    assert send(primary) == 0

    [raw] = primary.wait_for(1)
    assert content_below(raw, b"X-Marker") == CONTENT
    assert any(field.startswith(b"Received:") for field in fields_above(raw, b"X-Marker"))


def test_each_recipient_finds_a_copy(primary: Primary) -> None:
    """Any local part is taken, and messages() counts deliveries, not transactions."""
    assert send(primary, "one@alpha.example", "two@alpha.example") == 0

    assert [content_below(raw, b"X-Marker") for raw in primary.wait_for(2)] == [CONTENT, CONTENT]


def test_a_primary_takes_no_mail_for_others(primary: Primary) -> None:
    """To it we are a stranger out on the Internet, although we connect from loopback."""
    assert send(primary, "someone@elsewhere.example") == NO_RECIPIENT_TAKEN


def test_a_primary_that_comes_back_keeps_port_and_mailbox(primary: Primary) -> None:
    """Off means off: no process is left and nobody listens; on again, it is the same host."""
    send(primary)
    primary.wait_for(1)

    primary.stop()
    assert is_free(primary.address, primary.port)
    assert send(primary) == NOBODY_LISTENS

    primary.start()
    send(primary)
    assert len(primary.wait_for(2)) == 2


@pytest.mark.parametrize("kind", OTHERS)
def test_another_primary_stores_mail_and_comes_back(kind: type[Primary]) -> None:
    """Whole, in one file for each message; off means off, and on again it has the same mailbox."""
    content = (
        b"X-Marker: first\r\nFrom: <someone@sender.example>\r\n\r\n.\r\n..two\r\nfrom here\r\n"
    )
    with kind(["alpha.example"]) as primary:
        for count in (1, 2):
            primary.start()
            assert send(primary, content=content) == 0
            for raw in primary.wait_for(count):
                assert b"X-Marker: first\n" in raw
                assert b"\n\n.\n..two\nfrom here\n" in raw
            primary.stop()
            assert is_free(primary.address, primary.port)


@pytest.mark.parametrize("kind", PRIMARIES)
def test_a_primary_refuses_whom_it_is_told_to_refuse(kind: type[Primary]) -> None:
    """With 5xx or 4xx, in the words given. All other recipients are accepted."""
    rejects = {
        "gone@alpha.example": "550 5.1.1 gone for good",
        "full@alpha.example": "450 4.2.2 full for now",
    }
    with kind(["alpha.example"], rejects=rejects) as primary:
        primary.start()
        server = Server(primary.address, primary.port)
        sent = swaks_sends(
            server, reverse_path="", forward_paths=[*rejects, FORWARD_PATH], content=CONTENT
        )

        assert sent.returncode == 0
        assert all(
            reply[:9] in sent.stdout for reply in rejects.values()
        )  # Postfix puts the address before the text
        assert len(primary.wait_for(1)) == 1


@pytest.mark.parametrize("kind", PRIMARIES)
def test_a_primary_with_keys_offers_starttls(kind: type[Primary], tmp_path: Path) -> None:
    """With the certificate given, which a sender that knows the authority accepts."""
    authority, keys = issue(tmp_path)
    with kind(["alpha.example"], keys=keys) as primary:
        primary.start()
        server = Server("localhost", primary.port, Tls.STARTTLS, authority)
        sent = swaks_sends(server, reverse_path="", forward_paths=[FORWARD_PATH], content=CONTENT)

        assert sent.returncode == 0, sent.stdout
        assert "TLS started with cipher" in sent.stdout
        assert len(primary.wait_for(1)) == 1


def issue(directory: Path) -> tuple[Path, KeyPair]:
    """Write an authority's certificate, and a key pair for localhost signed by it."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", common_name="localhost")
    authority.cert_pem.write_to_path(directory / "authority.pem")
    issued.cert_chain_pems[0].write_to_path(directory / "certificate.pem")
    issued.private_key_pem.write_to_path(directory / "key.pem")
    return directory / "authority.pem", KeyPair(
        directory / "certificate.pem", directory / "key.pem"
    )


def test_smtp_source_sends_many_to_smtp_sink() -> None:
    """Several sessions at a time, each message counted."""
    with SmtpSink() as sink:
        sink.start()
        sent = smtp_source_sends(
            Server(sink.address, sink.port),
            reverse_path=REVERSE_PATH,
            forward_path=FORWARD_PATH,
            count=200,
            sessions=20,
            size=4096,
        )

        assert sent.returncode == 0, sent.stdout
        sink.wait_for(200)


def test_smtp_sink_keeps_content_and_refuses_on_demand() -> None:
    """It keeps the content below its own fields; refused commands fail the sender."""
    with SmtpSink(keep_content=True) as sink, SmtpSink("-r", "RCPT") as refusing:
        for each in (sink, refusing):
            each.start()
        sent = [
            swaks_sends(
                Server(each.address, each.port),
                reverse_path="",
                forward_paths=[FORWARD_PATH],
                content=CONTENT,
            ).returncode
            for each in (sink, refusing)
        ]

        assert sent == [0, NO_RECIPIENT_TAKEN]
        [kept] = sink.messages()
        assert content_below(kept, b"X-Marker") == CONTENT


@pytest.mark.parametrize("asker", ["fetchmail", "curl", "msmtp"])
def test_the_askers_are_there(asker: str) -> None:
    """Only Restante's answers show what they ask: see the other tests."""
    assert run(asker, "--version").returncode == 0


def test_a_missing_program_skips_its_test_and_fails_it_where_peers_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So in CI nothing passes for want of a peer."""
    monkeypatch.delenv("RESTANTE_REQUIRE_PEERS", raising=False)
    with pytest.raises(
        pytest.skip.Exception, match="no-such-program is not installed: run ci/install-peers"
    ):
        require("no-such-program")
    monkeypatch.setenv("RESTANTE_REQUIRE_PEERS", "1")
    with pytest.raises(
        pytest.fail.Exception, match="no-such-program is not installed: run ci/install-peers"
    ):
        require("no-such-program")


def test_a_killed_test_run_takes_its_peers_along(tmp_path: Path) -> None:
    """Not even a SIGKILL, which no `finally` and no atexit survives, leaves a daemon behind."""
    port = free_port()
    killed = subprocess.run(
        [sys.executable, "-c", SUICIDE.format(port=port)],
        env={"PATH": PLACES, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
        check=False,
    )

    assert killed.returncode == -signal.SIGKILL
    eventually(lambda: is_free("127.0.0.1", port), what="smtp-sink to be gone")
