"""The dialogue of a callout: its commands, its TLS, and its login."""

import asyncio
from typing import Any

import pytest

from restante.mail.address import split_mailbox
from restante.tenancy.model import TlsUse
from tests.delivery.conftest import Authority
from tests.delivery.scripted_primary import GARBAGE, ScriptedPrimary
from tests.delivery.test_encryption import key_of
from tests.delivery.world import World

PATH = "anna@b.example"


STARTTLS = ("PIPELINING", "STARTTLS", "AUTH PLAIN")


EHLO = "EHLO mx2.example.net"


QUESTION = ["MAIL FROM:<>", f"RCPT TO:<{PATH}>", "QUIT"]


async def asked_under_tls(
    primary: ScriptedPrimary, *, has_login: bool = False, **destination: Any
) -> bool | None:
    """Ask p.internal, which is this primary."""
    world = World()
    world.names.table["p.internal"] = ["127.0.0.1"]
    if has_login:
        destination["login"] = world.login("mx2", "secret")
    async with primary, world.dispatcher() as dispatcher:
        domain = await world.host(primary.port, host="p.internal", **destination)
        return await dispatcher.ask_destination(domain, split_mailbox(PATH))


@pytest.mark.parametrize("use", [TlsUse.OPPORTUNISTIC, TlsUse.REQUIRED, TlsUse.VERIFY])
def test_where_tls_is_to_be_had_it_is_asked_under_it(authority: Authority, use: TlsUse) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    assert asyncio.run(asked_under_tls(primary, tls=use, ca_file=authority.ca_file)) is True
    assert primary.commands == [EHLO, "STARTTLS", EHLO, *QUESTION]
    assert primary.taken == []


def test_it_logs_in_where_the_record_has_a_login(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    assert asyncio.run(asked_under_tls(primary, tls=TlsUse.REQUIRED, has_login=True)) is True
    assert primary.commands == [EHLO, "STARTTLS", EHLO, "AUTH PLAIN AG14MgBzZWNyZXQ=", *QUESTION]


@pytest.mark.parametrize(
    ("offer", "destination"),
    [
        (("PIPELINING",), {"tls": TlsUse.REQUIRED}),
        (("PIPELINING",), {"tls": TlsUse.VERIFY}),
        (("PIPELINING", "AUTH PLAIN"), {"tls": TlsUse.OPPORTUNISTIC, "has_login": True}),
        (("PIPELINING", "AUTH PLAIN"), {"tls": TlsUse.OFF, "has_login": True}),
    ],
)
def test_what_may_not_go_in_clear_is_not_asked_in_clear(
    offer: tuple[str, ...], destination: dict[str, Any]
) -> None:
    primary = ScriptedPrimary(offer=offer)
    assert asyncio.run(asked_under_tls(primary, **destination)) is None
    assert primary.commands in ([EHLO], [EHLO, "QUIT"])


def test_a_peer_that_is_not_who_it_must_be_is_asked_nothing(authority: Authority) -> None:
    for destination in ({"ca_file": ""}, {"key_pins": ("0" * 64,)}):
        primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
        assert asyncio.run(asked_under_tls(primary, tls=TlsUse.VERIFY, **destination)) is None
        assert primary.commands == [EHLO, "STARTTLS"]


def test_replies_put_before_the_handshake_are_none(authority: Authority) -> None:
    primary = ScriptedPrimary(
        {"STARTTLS": "220 go\r\n250 injected"}, offer=STARTTLS, context=authority.context
    )
    assert asyncio.run(asked_under_tls(primary, tls=TlsUse.REQUIRED)) is None
    assert primary.commands == [EHLO, "STARTTLS"]


def test_the_right_key_is_enough(authority: Authority) -> None:
    primary = ScriptedPrimary(offer=STARTTLS, context=authority.context)
    assert (
        asyncio.run(
            asked_under_tls(primary, tls=TlsUse.VERIFY, key_pins=(key_of(authority.context),))
        )
        is True
    )


@pytest.mark.parametrize(("use", "answer"), [(TlsUse.OPPORTUNISTIC, True), (TlsUse.REQUIRED, None)])
def test_a_handshake_that_fails_is_done_without_only_where_mail_would_be(
    use: TlsUse, answer: bool | None
) -> None:
    primary = ScriptedPrimary({"HANDSHAKE": GARBAGE}, offer=STARTTLS)
    assert asyncio.run(asked_under_tls(primary, tls=use)) is answer
    assert primary.commands[:2] == [EHLO, "STARTTLS"]
    assert primary.commands[2:] == ([EHLO, *QUESTION] if answer else [])
