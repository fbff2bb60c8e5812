"""XCLIENT: its words, and a session that is another client's from then on."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.mail.dsn_request import xtext_decoded
from restante.mail.message_origin import MessageOrigin, PtrStatus
from restante.smtp.client_events import SessionEnding
from restante.smtp.client_session import ClientSession
from restante.smtp.handshake import ClientOptions
from restante.smtp.passed_client import PassedClient, passed_client
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.xclient import xclient_command
from restante.tenancy.model import ClientPassing, TlsUse
from tests.smtp.client_talk import ClientTalk, mail

POSTFIX = frozenset(
    ["NAME", "ADDR", "PROTO", "HELO", "REVERSE_NAME", "PORT", "LOGIN", "DESTADDR", "DESTPORT"]
)
CLIENT = PassedClient(
    ipaddress.ip_address("198.51.100.7"), "out.a.example", "pt.r.example", PtrStatus.CONFIRMED, 4000
)
OFFERED = """
    S: 220 p.example ESMTP
    C: EHLO mx2.example.net
    S: 250-p.example
    S: 250-PIPELINING
    S: 250 XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN
"""
SAID = (
    "C: XCLIENT NAME=pt.r.example REVERSE_NAME=pt.r.example ADDR=198.51.100.7 PORT=4000"
    " HELO=out.a.example\n"
)
TAKEN = """
    S: 220 p.example ESMTP
    C: EHLO out.a.example
    S: 250-p.example
    S: 250 PIPELINING
"""
SENT = """
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
    C: DATA
"""


class PassingTalk(ClientTalk):
    """A session in the name of a client."""

    def __init__(
        self,
        *,
        passing: ClientPassing = ClientPassing.XCLIENT,
        tls: TlsUse = TlsUse.OFF,
        client: PassedClient | None = CLIENT,
    ) -> None:
        super().__init__(mail(1))
        options = ClientOptions("mx2.example.net", tls, client=client, passing=passing)
        self.session = ClientSession(options, self.pace)


def words(client: PassedClient, names: frozenset[str] = POSTFIX) -> dict[str, str]:
    line = xclient_command(client, names)
    assert line is not None
    assert line.endswith(b"\r\n")
    verb, *pairs = line.decode().split()
    assert verb == "XCLIENT"
    return dict(pair.split("=") for pair in pairs)


def test_only_names_on_offer_are_sent_and_never_login() -> None:
    assert set(words(CLIENT)) == {"NAME", "REVERSE_NAME", "ADDR", "PORT", "HELO"}
    assert words(CLIENT, frozenset({"ADDR", "PORT", "X"})) == {
        "ADDR": "198.51.100.7",
        "PORT": "4000",
    }


@pytest.mark.parametrize("names", [frozenset(), POSTFIX - {"ADDR"}])
def test_without_addr_on_offer_there_is_no_command(names: frozenset[str]) -> None:
    assert xclient_command(CLIENT, names) is None


@pytest.mark.parametrize(
    ("ptr", "name", "reverse"),
    [
        (PtrStatus.CONFIRMED, "pt.r.example", "pt.r.example"),
        (PtrStatus.UNCONFIRMED, "[UNAVAILABLE]", "pt.r.example"),
        (PtrStatus.FAILED, "[TEMPUNAVAIL]", "[TEMPUNAVAIL]"),
        (PtrStatus.NOT_LOOKED_UP, "[TEMPUNAVAIL]", "[TEMPUNAVAIL]"),
    ],
)
def test_a_name_is_told_as_far_as_it_may_be_trusted(
    ptr: PtrStatus, name: str, reverse: str
) -> None:
    told = words(PassedClient(CLIENT.address, "h", "pt.r.example", ptr))
    assert (told["NAME"], told["REVERSE_NAME"]) == (name, reverse)


def test_no_name_and_no_port_are_unavailable() -> None:
    told = words(PassedClient(CLIENT.address, "h", "", PtrStatus.NONE))
    assert (told["NAME"], told["REVERSE_NAME"], told["PORT"]) == ("[UNAVAILABLE]",) * 3


def test_ipv6_has_a_prefix() -> None:
    assert words(PassedClient(ipaddress.ip_address("2001:db8::1"), "h"))["ADDR"] == (
        "IPV6:2001:db8::1"
    )


@given(st.text(min_size=1))
def test_any_greeting_comes_back_from_its_xtext(hello: str) -> None:
    client = passed_client(MessageOrigin("198.51.100.7", 1, hello))
    assert client is not None
    assert xtext_decoded(words(client)["HELO"]) == client.hello


def test_after_220_the_session_is_the_clients() -> None:
    talk = PassingTalk().transcript(OFFERED, SAID, TAKEN, SENT)
    assert talk.session.offer.xclient == frozenset()


def test_xclient_comes_after_tls_which_is_not_begun_again() -> None:
    with_tls = """
        S: 220 p.example ESMTP
        C: EHLO mx2.example.net
        S: 250-p.example
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go
        T:
        C: EHLO mx2.example.net
        S: 250-p.example
        S: 250-PIPELINING
        S: 250 XCLIENT NAME ADDR PORT HELO REVERSE_NAME
    """
    PassingTalk(tls=TlsUse.REQUIRED).transcript(with_tls, SAID, TAKEN, SENT)


def test_a_second_offer_is_never_used() -> None:
    """Postfix judges the authority for it again, and would go on in the first client's name."""
    again = TAKEN.replace("250 PIPELINING", "250-PIPELINING\n    S: 250 XCLIENT ADDR NAME")
    PassingTalk().transcript(OFFERED, SAID, again, SENT)


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.0 Error: insufficient authorization",
        "501 5.5.4 Bad ADDR syntax",
        "450 4.7.1 try later",
        "554 5.7.1 listed",
    ],
)
def test_any_refusal_ends_the_session_before_mail(reply: str) -> None:
    talk = PassingTalk().transcript(OFFERED, SAID, f"S: {reply}")
    assert talk.ending.ending is SessionEnding.REFUSED
    assert reply in talk.ending.reason
    assert talk.session.is_client_refused
    assert talk.outstanding == []


@pytest.mark.parametrize("reply", ["250 2.0.0 OK", "221 bye", "354 go ahead"])
def test_a_positive_reply_but_220_ends_the_session_before_mail(reply: str) -> None:
    talk = PassingTalk().transcript(OFFERED, SAID)
    with pytest.raises(PeerBroke):
        talk.receive(f"{reply}\r\n".encode())
    assert talk.outstanding == []


def test_421_is_about_the_client() -> None:
    talk = PassingTalk().transcript(OFFERED, SAID, "S: 421 4.7.0 too many connections")
    assert talk.ending.ending is SessionEnding.BUSY
    assert talk.session.knows_client


def test_without_the_offer_no_mail_goes_in_our_own_name() -> None:
    plain = "S: 220 p.example\nC: EHLO mx2.example.net\nS: 250-p.example\nS: 250 PIPELINING"
    talk = PassingTalk().transcript(plain)
    assert "does not offer XCLIENT" in talk.ending.reason
    assert not talk.session.is_client_refused
    assert not talk.session.knows_client


def test_mail_without_a_client_goes_in_our_own_name() -> None:
    PassingTalk(client=None).transcript(OFFERED, SENT)


def test_a_refused_greeting_name_is_about_the_client() -> None:
    talk = PassingTalk().transcript(
        OFFERED,
        SAID,
        """
        S: 220 p.example
        C: EHLO out.a.example
        S: 554 5.7.1 not with that name
        C: HELO out.a.example
        S: 554 5.7.1 not with that name
        """,
    )
    assert talk.session.is_client_refused


def test_with_proxy_the_first_ehlo_is_the_clients() -> None:
    hello = """
        S: 220 p.example
        C: EHLO out.a.example
        S: 250-p.example
        S: 250-XCLIENT ADDR
        S: 250 PIPELINING
    """
    PassingTalk(passing=ClientPassing.PROXY).transcript(hello, SENT)


def test_a_client_with_the_servers_name_is_not_taken_for_a_loop() -> None:
    """A stranger may greet as anybody; it must not end drains."""
    client = PassedClient(CLIENT.address, "p.example")
    hello = "S: 220 p.example\nC: EHLO p.example\nS: 250-p.example\nS: 250 PIPELINING\n"
    PassingTalk(passing=ClientPassing.PROXY, client=client).transcript(hello, SENT)


def test_with_proxy_a_refused_greeting_is_about_the_client_and_missing_tls_is_not() -> None:
    talk = PassingTalk(passing=ClientPassing.PROXY).transcript("S: 554 5.7.1 listed")
    assert talk.session.is_client_refused
    talk = PassingTalk(passing=ClientPassing.PROXY, tls=TlsUse.REQUIRED).transcript(
        "S: 220 p.example\nC: EHLO out.a.example\nS: 250 p.example"
    )
    assert "TLS is required" in talk.ending.reason
    assert not talk.session.is_client_refused
