"""SCRAM-SHA-256 to a destination, over a real connection: keys are derived in a thread."""

import asyncio
import base64
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from restante.delivery import delivery_connection
from restante.mail.address import Mailbox
from restante.queue.recipient_status import RecipientStatus
from restante.sasl.mechanism import BadResponse, Challenge, ScramCredentials
from restante.sasl.scram import ScramSha256
from restante.sasl.scram_keys import Salting, salted_password, verifier_of
from restante.sasl.scram_messages import server_final
from restante.telemetry.events import DeliveryAttempt
from restante.tenancy.model import TlsUse
from tests.delivery.conftest import Authority
from tests.delivery.scripted_primary import CLOSE, ScriptedPrimary
from tests.delivery.world import World, until

STARTTLS = ("PIPELINING", "STARTTLS", "AUTH SCRAM-SHA-256 PLAIN")
SALTING = Salting(b"salt of the server", 4096)


@dataclass
class ScramPrimary(ScriptedPrimary):
    """Knows the password of mx2 and checks it by SCRAM, one session at a time."""

    password: str = "secret"
    proves_itself: bool = True
    _exchange: ScramSha256 | None = field(default=None, init=False)
    _is_answered: bool = field(default=False, init=False)

    def answer(self, command: str) -> str:
        mechanism, _, initial = command.partition(" SCRAM-SHA-256 ")
        if mechanism == "AUTH":
            self._exchange = ScramSha256("SERVER", lambda _user: SALTING)
            return self._reply(self._exchange.begin(base64.b64decode(initial)))
        if self._is_answered:
            self._is_answered = False
            return "501 cancelled" if command else "235 welcome"
        if self._exchange is not None:
            exchange, self._exchange = self._exchange, None
            try:
                return self._reply(exchange.respond(base64.b64decode(command)))
            except (BadResponse, ValueError):
                return "501 what?"
        return super().answer(command)

    def _reply(self, outcome: Challenge | ScramCredentials) -> str:
        if isinstance(outcome, Challenge):
            return f"334 {base64.b64encode(outcome.text).decode()}"
        verifier = verifier_of(self.password, SALTING)
        signature = verifier.check(outcome.auth_message, outcome.proof)
        if signature is None:
            return "535 5.7.8 wrong"
        self._is_answered = True
        proof = signature if self.proves_itself else bytes(32)
        return f"334 {base64.b64encode(server_final(proof)).decode()}"


def drained(primary: ScriptedPrimary, world: World, **destination: Any) -> None:
    """Drain one message, with one attempt."""
    world.set(patience=0)

    async def main() -> None:
        async with primary:
            login = world.login("mx2", "secret")
            domain = await world.host(primary.port, tls=TlsUse.REQUIRED, login=login, **destination)
            await world.hold(domain)
            await world.drain(domain)

    asyncio.run(main())


def authentications(primary: ScriptedPrimary) -> list[str]:
    return [
        " ".join(command.split()[:2]) for command in primary.commands if command.startswith("AUTH")
    ]


def test_mail_goes_when_both_sides_have_proved_themselves(authority: Authority) -> None:
    primary = ScramPrimary(offer=STARTTLS, context=authority.context)
    drained(primary, World())
    assert len(primary.taken) == 1
    assert authentications(primary) == ["AUTH SCRAM-SHA-256"]


def test_keys_are_derived_beside_the_event_loop(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def noted(password: str, salting: Salting) -> bytes:
        threads.append(threading.current_thread())
        return salted_password(password, salting)

    monkeypatch.setattr(delivery_connection, "salted_password", noted)
    primary = ScramPrimary(offer=STARTTLS, context=authority.context)
    drained(primary, World())
    assert len(primary.taken) == 1
    assert threads
    assert threading.main_thread() not in threads


def test_a_server_that_does_not_prove_itself_gets_neither_mail_nor_password(
    authority: Authority,
) -> None:
    primary = ScramPrimary(offer=STARTTLS, context=authority.context, proves_itself=False)
    world = World()
    drained(primary, world)
    assert primary.taken == []
    assert authentications(primary) == ["AUTH SCRAM-SHA-256"]
    assert "did not prove that it knows the password" in world.end["reason"]
    assert len(asyncio.run(world.waiting(RecipientStatus.HELD))) == 1


def test_scram_is_tried_once_where_the_server_offers_it_in_vain(authority: Authority) -> None:
    """As with a Postfix that has passwords of another kind: later sessions do not fail again."""
    primary = ScramPrimary(offer=STARTTLS, context=authority.context, password="of nobody")
    world = World()

    async def main() -> None:
        async with primary, world.dispatcher() as dispatcher:
            login = world.login("mx2", "secret")
            domain = await world.host(primary.port, tls=TlsUse.REQUIRED, login=login)
            for mechanisms in (["AUTH SCRAM-SHA-256", "AUTH PLAIN"], ["AUTH PLAIN"]):
                primary.commands.clear()
                await world.hold(domain)
                await dispatcher.start(domain, "test")
                await until(lambda: not list(dispatcher.drains()))
                assert authentications(primary) == mechanisms

    asyncio.run(main())
    assert len(primary.taken) == 2


@pytest.mark.parametrize(
    "ending", [CLOSE, "421 4.3.2 not now", "500 ?"], ids=["close", "421", "odd"]
)
def test_a_server_that_leaves_scram_without_a_result_gets_another_mechanism(
    authority: Authority, ending: Any
) -> None:
    """The third connection uses PLAIN, and those after it too."""
    script: dict[str, Any] = {"AUTH SCRAM": ending, "AUTH PLAIN": "235 welcome"}
    primary = ScriptedPrimary(script, offer=STARTTLS, context=authority.context)
    world = World()
    world.set(patience=7200)

    async def main() -> None:
        async with primary, world.dispatcher() as dispatcher:
            login = world.login("mx2", "secret")
            domain = await world.host(primary.port, tls=TlsUse.REQUIRED, login=login, connections=1)
            for _ in range(2):
                await world.hold(domain)
                await dispatcher.start(domain, "test")
                await until(lambda: not list(dispatcher.drains()))

    asyncio.run(main())
    tries = 1 if ending == "500 ?" else 2
    assert authentications(primary) == ["AUTH SCRAM-SHA-256"] * tries + ["AUTH PLAIN"] * 2
    assert len(primary.taken) == 2


def test_a_wrong_password_is_reported_with_the_last_reply(authority: Authority) -> None:
    primary = ScramPrimary(
        offer=("STARTTLS", "AUTH SCRAM-SHA-256"), context=authority.context, password="another"
    )
    world = World()
    drained(primary, world)
    (line,) = world.log.of(DeliveryAttempt)
    assert line["reason"] == "AUTH: 535 5.7.8 wrong"


def test_a_callout_authenticates_so_too(authority: Authority) -> None:
    primary = ScramPrimary(offer=STARTTLS, context=authority.context)
    world = World()

    async def main() -> bool | None:
        async with primary, world.dispatcher() as dispatcher:
            login = world.login("mx2", "secret")
            domain = await world.host(primary.port, tls=TlsUse.REQUIRED, login=login)
            return await dispatcher.ask_destination(domain, Mailbox("b", "b.example"))

    assert asyncio.run(main()) is True
    assert authentications(primary) == ["AUTH SCRAM-SHA-256"]
