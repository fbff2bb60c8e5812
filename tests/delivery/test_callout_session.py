"""The dialogue of a callout: its commands, its TLS, and its login."""

import asyncio
from typing import Any, Final

import pytest

from restante.mail.address import split_mailbox
from restante.tenancy.model import TlsUse
from tests.delivery.conftest import Authority
from tests.delivery.scripted_primary import GARBAGE, SILENCE, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.test_callout import asked
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
def test_mail_that_needs_tls_is_not_asked_about_in_clear(
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


LF_ALONE: Script = {"GREETING": "220 p.example\n", "EHLO": "250 p.example\n"}
NOBODY: Final = "550 5.1.1 nobody\n"


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        ({"MAIL": "250 ok\n"}, True),
        ({"MAIL": "250 ok\n", "RCPT": NOBODY}, False),
        ({"RCPT": NOBODY}, False),
        ({"RCPT": "250 ok\n"}, True),
        ({**LF_ALONE, "MAIL": "250 ok\n", "RCPT": NOBODY, "QUIT": "221 bye\n"}, False),
        ({**LF_ALONE, "MAIL": "250 ok\n", "RCPT": "250 ok\n", "QUIT": "221 bye\n"}, True),
    ],
    ids=str,
)
def test_a_destination_that_ends_replies_with_lf_alone_is_asked(
    script: Script, answer: bool
) -> None:
    assert asyncio.run(asked(World(), script, PATH))[0] == [answer]


@pytest.mark.parametrize("first", [{}, LF_ALONE], ids=["CRLF", "LF"])
@pytest.mark.parametrize(
    "mail",
    [
        "250 hi\n550 5.1.1 nobody",
        "250 hi\n250 somebody",
        "250 hi\n550 5.1.1 nobody\n221 bye",
        "250 hi\n250 somebody\n221 bye",
    ],
)
@pytest.mark.parametrize("real", ["250 ok", "550 5.1.1 nobody", "450 later"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_reply_with_forged_replies_in_it_answers_nothing(
    first: Script, mail: str, real: str, end: str
) -> None:
    script = {**first, "MAIL": mail + end, "RCPT": real + end, "QUIT": "221 bye" + end}
    assert asyncio.run(asked(World(), script, PATH))[0] == [None]


def test_a_destination_that_does_not_close_behind_lf_alone_answers_nothing() -> None:
    script: Script = {**LF_ALONE, "QUIT": SILENCE}
    assert run_swiftly(asked(World(), script, PATH))[0] == [None]


def test_a_forged_reply_that_comes_late_is_counted() -> None:
    """The rest of the reply to MAIL comes once RCPT is sent."""
    script: Script = {**LF_ALONE, "MAIL": "250 hi\n", "RCPT": "550 5.1.1 nobody\n250 ok\n"}
    assert asyncio.run(asked(World(), script, PATH))[0] == [None]
