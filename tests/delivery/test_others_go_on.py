"""No message keeps others waiting, whatever the destination does with it."""

import asyncio
from dataclasses import dataclass

import pytest

from restante.mail.envelope import Envelope
from tests.delivery.scripted_primary import CLOSE, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World

BAD = 12
GOOD = 20
SECONDS = 60.0  # of a fresh drain, which knows nothing of the destination

KINDS = {
    "MAIL 421": ("MAIL", "421 4.7.0 not from there"),
    "MAIL 500": ("MAIL", "500 5.5.2 syntax"),
    "MAIL 504": ("MAIL", "504 5.5.2 <root@localhost>: need fully-qualified address"),
    "MAIL 530": ("MAIL", "530 5.7.1 authenticate for local senders"),
    "MAIL closed": ("MAIL", CLOSE),
    "RCPT 421": ("RCPT", "421 4.7.0 go away"),
    "RCPT 504": ("RCPT", "504 5.5.2 need fully-qualified address"),
    "RCPT 550 5.7.9": ("RCPT", "550 5.7.9 this sender must authenticate"),
    "RCPT closed": ("RCPT", CLOSE),
    "RCPT full": ("RCPT", "452 4.2.2 mailbox full"),
    "content 421": ("CONTENT", "421 4.3.0 later"),
    "content 550 5.7.8": ("CONTENT", "550 5.7.8 spf"),
    "content closed": ("CONTENT", CLOSE),
}


@dataclass
class Touchy(ScriptedPrimary):
    """Answers so at one step of the mail of one sender, and takes all other mail."""

    step: str = "MAIL"
    reply: str = "421 no"
    is_bad: bool = False

    def answer(self, command: str) -> str:
        if command.startswith("MAIL"):
            self.is_bad = "bad@" in command
        if self.is_bad and command.startswith(self.step):
            return self.reply
        return super().answer(command)


def taken_within(primary: ScriptedPrimary, seconds: float) -> int:
    """Hold bad mail and good mail behind it; return how much good mail left within that time."""
    world = World()

    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, connections=1)
            for _ in range(BAD):
                await world.hold_asking(domain, Envelope("bad@a.example", ("b@b.example",)))
            await world.hold(domain, GOOD)
            async with world.dispatcher() as dispatcher:
                await dispatcher.start(domain, "test")
                await asyncio.sleep(seconds)

    run_swiftly(main())
    return sum(taken.reverse_path == "a@a.example" for taken in primary.taken)


@pytest.mark.parametrize("offer", [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")])
@pytest.mark.parametrize("kind", KINDS)
def test_mail_behind_mail_that_meets_this_leaves_all_the_same(
    kind: str, offer: tuple[str, ...]
) -> None:
    step, reply = KINDS[kind]
    assert taken_within(Touchy(offer=offer, step=step, reply=reply), SECONDS) == GOOD
