"""A look at a destination: its transcript, its facts, and its bounds."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.dialer import Dialer
from restante.network.resolver import LookupFailed
from restante.readiness import probe_session
from restante.readiness.destination_facts import DestinationFacts
from restante.readiness.probe_session import DestinationLook, ProbeTarget
from restante.smtp.client_auth import ClientLogin
from restante.tenancy.model import Destination, IpAddress, TlsUse
from tests.admin.admin_world import FakeResolver
from tests.delivery.conftest import Authority, authority
from tests.delivery.scripted_primary import CLOSE, GARBAGE, SILENCE, Script, ScriptedPrimary

__all__ = ["authority"]

EHLO = "EHLO mx2.example.net"
TLS_OFFER = ("PIPELINING", "STARTTLS", "AUTH PLAIN", "SIZE 1000", "XCLIENT NAME ADDR")
NAMES = FakeResolver({"p.internal": ["127.0.0.1"], "two.internal": ["127.0.0.9", "127.0.0.1"]})


def destination(port: int, **fields: Any) -> Destination:
    return replace(Destination("p.internal", port), **fields)


async def looked(
    primary: ScriptedPrimary, login: ClientLogin | None = None, **fields: Any
) -> DestinationFacts:
    async with primary:
        dialer = Dialer(NAMES, "mx2.example.net", [("127.0.0.1", 25)], DeliverySettings)
        target = ProbeTarget(destination(primary.port, **fields), "a.example", login)
        return await DestinationLook(target, dialer, 7.0, time.monotonic).facts()


def facts_of(
    primary: ScriptedPrimary, login: ClientLogin | None = None, **fields: Any
) -> DestinationFacts:
    return asyncio.run(looked(primary, login, **fields))


def with_nobody(commands: list[str]) -> list[str]:
    """Return the commands, with a word in place of the mailbox that cannot exist."""
    return [
        "RCPT TO:<NOBODY@a.example>" if one.startswith("RCPT") and "postmaster" not in one else one
        for one in commands
    ]


QUESTIONS = [
    "MAIL FROM:<>",
    "RCPT TO:<postmaster@a.example>",
    "RCPT TO:<NOBODY@a.example>",
    "RSET",
    "MAIL FROM:<postmaster@a.example>",
    "RCPT TO:<postmaster@a.example>",
    "RSET",
    "MAIL FROM:<>",
    "RSET",
    "QUIT",
]


def test_the_whole_transcript_of_a_plain_destination() -> None:
    primary = ScriptedPrimary(offer=("PIPELINING", "SIZE 1000"))
    facts = facts_of(primary)
    assert with_nobody(primary.commands) == [EHLO, *QUESTIONS]
    assert primary.taken == []
    assert (facts.failure, facts.domain, facts.at) == ("", "a.example", 7.0)
    assert facts.offer.size_limit == 1000
    assert facts.postmaster.code == facts.nobody.code == facts.third.code == 250
    [address] = facts.addresses
    assert (address.greeting, address.failure) == ("220 p.example ESMTP", "")


def test_under_tls_the_offer_is_the_one_behind_it(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=TLS_OFFER, context=authority.context)
    facts = facts_of(primary)
    look = [EHLO, "STARTTLS"]  # a verifying client is refused in the handshake
    assert with_nobody(primary.commands) == [EHLO, "STARTTLS", EHLO, *QUESTIONS, *look]
    assert "XCLIENT" in facts.offer.keywords
    assert facts.tls.version.startswith("TLSv1")
    assert facts.tls.certificate is not None
    assert facts.tls.certificate.names == ("p.internal",)
    assert facts.tls.was_verified
    assert "certificate" in facts.tls.unverified


def test_a_certificate_that_fails_is_shown_all_the_same(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=TLS_OFFER, context=authority.context)
    facts = facts_of(primary, tls=TlsUse.VERIFY)
    assert not facts.has_session
    assert "certificate" in facts.tls.failure
    assert facts.tls.certificate is not None
    assert facts.tls.certificate.key == authority.pin
    assert not any(one.startswith(("MAIL", "AUTH")) for one in primary.commands)


def test_with_the_right_authority_the_record_is_obeyed(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=TLS_OFFER, context=authority.context)
    facts = facts_of(primary, tls=TlsUse.VERIFY, ca_file=authority.ca_file)
    assert facts.has_session
    assert primary.connections == 1


def test_the_login_is_tried_under_tls(authority: Authority) -> None:
    login = ClientLogin("mx2", "secret")
    primary = ScriptedPrimary(offer=TLS_OFFER, context=authority.context)
    facts = facts_of(primary, login, tls=TlsUse.REQUIRED)
    assert facts.login.code == 235
    assert sum(one.startswith("AUTH") for one in primary.commands) == 1


def test_a_refused_login_is_a_fact(authority: Authority) -> None:
    script: Script = {"AUTH": "535 5.7.8 wrong"}
    primary = ScriptedPrimary(script, offer=TLS_OFFER, context=authority.context)
    facts = facts_of(primary, ClientLogin("mx2", "secret"), tls=TlsUse.REQUIRED)
    assert (facts.login.code, facts.has_session) == (535, False)
    assert "secret" not in repr(facts)


@pytest.mark.parametrize("tls", [TlsUse.OFF, TlsUse.OPPORTUNISTIC])
def test_no_password_goes_in_clear(tls: TlsUse) -> None:
    primary = ScriptedPrimary(offer=("AUTH PLAIN",))
    facts = facts_of(primary, ClientLogin("mx2", "secret"), tls=tls)
    assert not any(one.startswith("AUTH") for one in primary.commands)
    assert not facts.login.is_asked


def test_tls_that_fails_is_done_without_only_where_mail_would_be() -> None:
    script: Script = {"HANDSHAKE": GARBAGE}
    facts = facts_of(ScriptedPrimary(dict(script), offer=TLS_OFFER))
    assert (facts.has_session, facts.tls.version) == (True, "")
    assert facts.tls.failure
    facts = facts_of(ScriptedPrimary(dict(script), offer=TLS_OFFER), tls=TlsUse.REQUIRED)
    assert not facts.has_session


@pytest.mark.parametrize(
    ("script", "codes"),
    [
        ({"RCPT": "450 4.7.25 no name"}, (450, 450, 450, 250)),
        ({"MAIL": "450 4.7.1 rate"}, (450, 0, 450, 450)),
        ({"RCPT TO:<postmaster": "250 ok", "RCPT": "550 5.1.1 no"}, (250, 550, 250, 250)),
        ({"MAIL FROM:<post": "553 5.7.1 not logged in"}, (250, 250, 553, 250)),
    ],
)
def test_replies_are_kept_question_by_question(script: Script, codes: tuple[int, ...]) -> None:
    facts = facts_of(ScriptedPrimary(script))
    found = (facts.postmaster, facts.nobody, facts.own_domain, facts.third)
    assert tuple(one.code for one in found) == codes


def test_a_destination_that_is_ourselves_is_told_so() -> None:
    primary = ScriptedPrimary({"EHLO": "250 MX2.example.net"})
    facts = facts_of(primary)
    assert facts.is_ourselves
    assert primary.commands in ([EHLO], [EHLO, "QUIT"])  # it may be closed before it reads QUIT


@pytest.mark.parametrize("greeting", ["554 go away", CLOSE, "HTTP/1.1 400 Bad Request"])
def test_a_destination_that_does_not_greet_is_a_fact(greeting: str) -> None:
    facts = facts_of(ScriptedPrimary({"GREETING": greeting}))
    assert facts.failure
    assert not facts.has_greeted


@pytest.mark.parametrize("key", ["GREETING", "EHLO", "MAIL", "RCPT", "RSET"])
def test_silence_has_an_end(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_session, "SESSION_TIME", 0.05)
    facts = facts_of(ScriptedPrimary({key: SILENCE}))
    assert "no answer within" in facts.failure


@pytest.mark.parametrize("key", ["EHLO", "MAIL", "RCPT", "RSET", "QUIT"])
def test_a_close_anywhere_is_a_fact(key: str) -> None:
    facts = facts_of(ScriptedPrimary({key: CLOSE}))
    assert bool(facts.failure) is (key != "QUIT")


def test_a_surplus_reply_ends_the_look() -> None:
    facts = facts_of(ScriptedPrimary({"MAIL": "250 ok\r\n250 ok"}))
    assert facts.failure == "more replies than commands"


def test_other_addresses_are_greeted_only() -> None:
    primary = ScriptedPrimary()
    facts = facts_of(primary, host="two.internal")
    assert [bool(one.failure) for one in facts.addresses] == [True, False]
    assert primary.connections == 1


def test_an_account_cannot_have_inside_hosts_looked_at() -> None:
    primary = ScriptedPrimary()
    facts = facts_of(primary, set_by="alpha")
    assert facts.failure == "p.internal has no public address"
    assert primary.connections == 0


def test_a_name_that_is_not_known_is_a_fact() -> None:
    class Lost(FakeResolver):
        async def addresses(self, name: str) -> tuple[IpAddress, ...]:
            raise LookupFailed(f"{name}: no name server answered", is_temporary=True)

    dialer = Dialer(Lost(), "mx2.example.net", [], DeliverySettings)
    target = ProbeTarget(Destination("p.internal"), "a.example")
    facts = asyncio.run(DestinationLook(target, dialer, 0.0, time.monotonic).facts())
    assert facts.failure == "p.internal: no name server answered"


def test_it_asks_few_commands_and_provokes_few_errors() -> None:
    primary = ScriptedPrimary({"RCPT": "550 no", "MAIL FROM:<post": "550 no"})
    facts_of(primary)
    assert len(primary.commands) <= 16
    refused = [one for one in primary.commands if primary.answer(one).startswith("5")]
    assert len(refused) <= 3
