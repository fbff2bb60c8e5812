"""A portal with a sample of everything, on a port of loopback, for a browser."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from unittest.mock import patch

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from restante.admin.accounts import AccountChange, change_account
from restante.admin.admin_context import OpenListener
from restante.admin.channels import add_channel
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.held_mail import NamedMessages, delete_messages
from restante.admin.logins import LoginChange, NewLogin, add_login, change_login
from restante.admin.portal_users import NewPortalUser, invite_user
from restante.admin.tokens import NewToken, add_token
from restante.config.self_signed import new_ecdsa_key, self_signed_client
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage, message_name
from restante.mail.message_origin import MessageOrigin
from restante.queue.held_peak import WIDE, HeldAmount, HeldPeak, PeakPlace
from restante.queue.presence import DestinationState, PresenceChange, WatchedDestination
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.tenancy.api_token import PresentedToken
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.principal import Principal, Role
from restante.web.portal.portal_application import build_portal
from tests.acceptance.peers.ports import free_port
from tests.actors import actor_named
from tests.admin.admin_world import NOW, AdminWorld, FakeServer, ask_for
from tests.admin.channel_making import hook
from tests.contract.making import opened
from tests.web.portal.visitors import GivenSession

HOST: Final = "127.0.0.1"
MONITORING: Final = PresentedToken("monitoring", "secret")  # a token of alpha
CERTIFICATE: Final = self_signed_client("alpha-mail", new_ecdsa_key(), NOW).decode()
EVIL: Final = '"><img src=x onerror=document.title="stolen">'
RATE: Final = "550 5.7.1 Too many messages from your address, rate limit exceeded"
UNKNOWN: Final = "550 5.1.1 <{}>: Recipient address rejected: User unknown in table"

PEOPLE: Final = ("anna", "ben", "chloe", "office", "accounts", "support")
ORIGIN: Final = MessageOrigin(
    "198.51.100.7", 40112, "mail.sender.example", "TLSv1.3 TLS_AES_256_GCM_SHA384"
)
CONTENT: Final = """\
Received: from mail.sender.example (mail.sender.example [198.51.100.7])\r
\tby mx2.example.net with ESMTPS; Thu, 09 Oct 2025 07:53:20 +0000\r
From: <{sender}>\r
Subject: Your order {number} =?utf-8?q?f=C3=BCr?= October\r
Message-ID: <order-{number}@sender.example>\r
\r
It is on its way.\r
"""


DIRECTOR: Final = Principal(
    Role.ACCOUNT,
    actor_named("user anna (alpha)"),
    "192.0.2.9",
    "alpha",
    (frozenset({GrantedRole.ACCOUNT_ADMIN, Scope.DOMAIN_DIRECT, Scope.CONTENT_READ}),),
    user="anna@x.example",
)


class SampleServer(FakeServer):
    """The fake server, with listeners as a real one has them."""

    def listeners(self) -> list[OpenListener]:
        """Return three."""
        return [
            OpenListener("mx", "0.0.0.0:25", "1.2", 7),
            OpenListener("smtps", "0.0.0.0:465", "1.2", 0),
            OpenListener("web", "127.0.0.1:8025", "", 2),
        ]


def sample_admin() -> AdminWorld:
    """Return an admin world: one domain hands its mail over, others are quiet, away, or refuse."""
    admin = AdminWorld(server=SampleServer())
    # Playwright has an event loop in the thread of the tests.
    filling = threading.Thread(target=lambda: asyncio.run(_fill(admin)))
    filling.start()
    filling.join()
    return admin


async def _fill(admin: AdminWorld) -> None:
    server = admin.server
    assert server is not None
    for name in ("alpha.example", "shop.alpha.example", "old-branch-office.alpha.example"):
        await admin.host(name, "alpha", destination=f"mail.{name}", retention=30 * 86400.0)
    await admin.host("beta.example", "beta", destination="mail.beta.example")
    away = WatchedDestination(
        DestinationState.AWAY, NOW - 30_000, NOW + 20, "connection refused", NOW - 40
    )
    there = WatchedDestination(DestinationState.UP, NOW - 90_000, NOW + 20, "", NOW - 40)
    server.sightings["mail.alpha.example:25"] = there
    server.sightings["mail.shop.alpha.example:25"] = away
    for number in range(1, 41):
        path = f"{PEOPLE[number % len(PEOPLE)]}@alpha.example"
        await _hold(admin, number, 1, path, f"news-{number}@sender.example")
    for number in range(41, 46):
        path = f"orders{number}@shop.alpha.example"
        await _hold(admin, number, 2, path, "a@sender.example")
        await _refuse(admin, number, path, RATE if number < 44 else UNKNOWN.format(path))
    await _hold(admin, 46, 2, "orders@shop.alpha.example", EVIL)
    await admin.store.peaks.record_peaks(list(_week_of_peaks()))
    await admin.store.presence.record_presence(list(_month_of_presence()))
    await admin.hold(47, 2, "gone@shop.alpha.example")
    gone = NamedMessages(names=(message_name(47),), reason="asked by the customer")
    await delete_messages(admin.context, gone)
    await ask_for(admin, 900, "alpha.example", 1)  # not before the account was made
    await add_channel(admin.context, hook("pager", account="alpha"))
    login = NewLogin(user="alpha-mail", password=SecretStr("a-very-secret-password"))
    await add_login(admin.context, "alpha", login)
    await change_account(admin.context, "alpha", AccountChange(quota=14_000))
    token = NewToken(name="monitoring", account="alpha", role=GrantedRole.ACCOUNT_READER)
    with patch("restante.admin.tokens.new_secret", return_value=(MONITORING, "shown to nobody")):
        await add_token(admin.context, token)
    for email, role in (("ana", GrantedRole.ACCOUNT_ADMIN), ("ben", GrantedRole.ACCOUNT_READER)):
        new = NewPortalUser(email=f"{email}@alpha.example", account="alpha", role=role)
        await invite_user(admin.context, new)
    admin.resolver.known["mail2.alpha.example"] = ["9.9.9.9"]
    admin.set(change_delay=lambda: 3600.0)
    moved = DomainChange(destination="mail2.alpha.example")
    mover = admin.context.acting(DIRECTOR, "a new server")
    await change_domain(mover, "old-branch-office.alpha.example", moved)
    turning = LoginChange(turnaround=True, add_certificates=(CERTIFICATE,))
    await change_login(mover, "alpha", "alpha-mail", turning)


async def _hold(admin: AdminWorld, number: int, domain_id: int, path: str, sender: str) -> None:
    content = CONTENT.format(sender="sender@sender.example", number=number).encode()
    message = NewMessage(
        number, domain_id, Envelope(sender, (path,)), NOW - 3600 + number, content, origin=ORIGIN
    )
    await admin.store.reception.hold([message])


async def _refuse(admin: AdminWorld, number: int, path: str, reply: str) -> None:
    drain = await opened(admin.store, 2, NOW - 1800, NOW + 60)
    outcome = MessageOutcome(number, (RecipientOutcome(path, RecipientMove.REFUSED, reply),))
    await admin.store.handover.settle(drain, [outcome], at=NOW - 1800)
    await admin.store.handover.close_drain(drain)


def _month_of_presence() -> Iterator[PresenceChange]:
    """Yield when two destinations came up and went away: one often, the other until now."""
    outages = (
        (21.3, 0.4, "connection refused"),
        (12.0, 0.05, "timed out"),
        (4.2, 1.1, "timed out"),
    )
    for name, more in (("alpha", ()), ("shop.alpha", ((30_000 / 86400, 0, "connection refused"),))):
        host = f"mail.{name}.example:25"
        yield PresenceChange("alpha", host, NOW - 27.5 * 86400, DestinationState.UP)
        for days, length, reason in (*outages, *more):
            at = NOW - days * 86400
            yield PresenceChange("alpha", host, at, DestinationState.AWAY, reason)
            if length:
                yield PresenceChange("alpha", host, at + length * 86400, DestinationState.UP)


def _week_of_peaks() -> Iterator[HeldPeak]:
    """Yield what a week of two absences leaves: a long one, and the one of today."""
    for hours in range(7 * 24):
        at = int(NOW - hours * WIDE) // WIDE * WIDE
        absent = max(0, 130 - hours) if hours > 100 else max(0, 9 - hours)
        if absent:
            held = HeldAmount(absent * 5, absent * 90_000)
            yield HeldPeak(PeakPlace(1, "alpha", WIDE, at), held)


@contextmanager
def serving(
    admin: AdminWorld, principal: Principal | None, *, fresh_until: float = NOW + 300
) -> Iterator[str]:
    """Serve the portal to one user while the block runs, and yield its address.

    None: to a stranger. `fresh_until` is the end of the time in which no factor is asked for.
    """
    session = GivenSession(principal, fresh_until)
    with serving_application(build_portal(admin.context, session)) as address:
        yield address


@contextmanager
def serving_application(portal: ASGIApp) -> Iterator[str]:
    """Serve a portal while the block runs, and yield its address."""
    port = free_port(HOST)
    config = uvicorn.Config(portal, host=HOST, port=port, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        server.should_exit = True
        thread.join()


def today() -> str:
    """Return the day of the sample."""
    return f"{datetime.fromtimestamp(NOW, UTC):%Y-%m-%d}"
