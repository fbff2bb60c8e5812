"""The real customers of ODMR meet a scripted provider, which tells the traffic of each."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.certificates import Authority
from tests.acceptance.client_run import login_words, run_client
from tests.acceptance.installation import at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.odmr_programs import GUIDE, EximCustomer, fetchmail_turns
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.peers.server import Login, Server, Tls
from tests.cli.answering import answering
from tests.restante_client.turning_script import BY_DATA, CONTENT, TurningScript

DOMAIN = "acme.example"
LOGIN = Login("acme-mail", "the password")
POSTFIX_LINES = 10  # of its answer to EHLO
EXIM_LINES = 9


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def context(authority: Authority) -> ssl.SSLContext:
    keys = authority.issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.certificate, keys.key)
    return context


@pytest.fixture(scope="module")
def postfix() -> Iterator[Primary]:
    with PostfixPrimary([DOMAIN]) as primary:
        primary.start()
        yield primary


def line_by_line(lines_of_ehlo: int) -> list[tuple[bytes, int]]:
    """Return a session in which each line has a TLS record of its own."""
    flights = [(b"", 1), (b"EHLO mx2.example.net\r\n", lines_of_ehlo)]
    flights += [(line, 1) for line in BY_DATA[2][0].splitlines(keepends=True)]
    *content, end = BY_DATA[3][0].splitlines(keepends=True)
    return [*flights, *((line, 0) for line in content), (end, 1), (b"QUIT\r\n", 1)]


def by_cram_md5(script: TurningScript) -> None:
    """Offer CRAM-MD5, and accept any digest."""
    script.features = ["ATRN", "AUTH CRAM-MD5"]
    script.replies["AUTH CRAM-MD5"] = "334 " + base64.b64encode(b"<1@x>").decode()
    script.replies[base64.b64encode(b"acme-mail").decode().upper()] = "235 fine"


@pytest.mark.parametrize("of_sid", [False, True], ids=["6.4", "6.6"])
def test_fetchmail_passes_lines_of_their_own_records(
    authority: Authority, context: ssl.SSLContext, postfix: Primary, of_sid: bool
) -> None:
    script = TurningScript(context, is_implicit=True, flights=line_by_line(POSTFIX_LINES))
    by_cram_md5(script)
    before = postfix.mailbox.count()
    with answering(script):
        server = Server("localhost", script.port, Tls.IMPLICIT, authority.file)
        ended = fetchmail_turns(server, LOGIN, postfix, DOMAIN, "two.example", of_sid=of_sid)
    assert ended.returncode == 0, ended.stdout
    assert script.heard[-1] == f"ATRN {DOMAIN},two.example"
    postfix.wait_for(before + 1)


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.IMPLICIT])
def test_exim_is_a_server_on_its_own_connection(
    authority: Authority, context: ssl.SSLContext, tls: Tls
) -> None:
    script = TurningScript(context, is_implicit=tls is Tls.IMPLICIT)
    script.features[-1] = "AUTH PLAIN"
    script.flights[1] = (BY_DATA[1][0], EXIM_LINES)
    with answering(script), EximCustomer([DOMAIN]) as exim:
        ended = exim.turn(Server("localhost", script.port, tls, authority.file), LOGIN, "")
        assert ended.returncode == 0, ended.stdout
        eventually(lambda: exim.mailbox.count() == 1, what="the message")
        [message] = exim.mailbox.messages()
    assert script.heard[-1] == "ATRN"
    assert script.got[0].startswith(b"220 mail.customer.example ESMTP Exim 4.1")
    assert script.got[-1].startswith(b"221 ")
    assert message.endswith(CONTENT.replace(b"\r\n", b"\n"))


def test_our_client_hands_mail_to_postfix(
    authority: Authority, context: ssl.SSLContext, postfix: Primary, tmp_path: Path
) -> None:
    script = TurningScript(context)
    script.flights[1] = (BY_DATA[1][0], POSTFIX_LINES)
    before = postfix.mailbox.count()
    with answering(script):
        server = Server("localhost", script.port, Tls.STARTTLS, authority.file)
        words = ("turn", f"localhost:{script.port}", DOMAIN, "--local", at(postfix))
        ended = run_client(*words, *login_words(tmp_path, server, LOGIN))
    assert ended.stdout == f"localhost:{script.port}: 1 message delivered\n", ended.stderr
    assert ended.returncode == 0
    assert postfix.wait_for(before + 1)[-1].endswith(CONTENT.replace(b"\r\n", b"\n"))
    assert script.saw_end


class GuardedPostfix(PostfixPrimary):
    """Postfix that trusts loopback as usual, with the guide's port that does not."""

    def __init__(self) -> None:
        trusting = {"mynetworks": "127.0.0.0/8", "default_transport": "smtp"}
        super().__init__([DOMAIN], settings=trusting)
        self.guarded_port = free_port("127.0.0.1")

    def _master(self) -> str:
        _, start, rest = GUIDE.read_text().partition("127.0.0.1:2526 inet")
        service, end, _ = rest.partition("```")
        assert start, "the service is not in the guide"
        assert end
        return f"{super()._master()}\n127.0.0.1:{self.guarded_port} inet{service}"


def test_the_port_of_the_guide_relays_nothing() -> None:
    """A backup MX could otherwise send mail to anybody through its customer."""
    answers = {}
    with GuardedPostfix() as postfix:
        postfix.start()
        for port in (postfix.port, postfix.guarded_port):
            for path in (f"reader@{DOMAIN}", "victim@elsewhere.example"):
                with smtplib.SMTP("127.0.0.1", port) as session:
                    session.ehlo()
                    session.mail("a@b.example")
                    answers[port == postfix.guarded_port, path[:6]] = session.rcpt(path)[0]
    assert answers == {
        (False, "reader"): 250,
        (False, "victim"): 250,  # it trusts loopback
        (True, "reader"): 250,
        (True, "victim"): 554,
    }
