"""The customers: they ask for mail by ETRN from their own hosts; some try others' domains."""

import asyncio
import base64
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.simulation.books import Books
from tests.simulation.client import Client, Lost
from tests.simulation.network import Machine
from tests.simulation.trace import Trace

PASSWORD: Final = "correct-horse-battery"
_PAUSE: Final = (5.0, 25.0)  # seconds between requests
_LONG_PAUSE: Final = (65.0, 90.0)  # longer than a drain may take: it must go on by itself


@dataclass(eq=False)
class Customer:
    """One account's."""

    account: str
    domains: tuple[str, ...]
    others: tuple[str, ...]  # domains of other accounts
    address: str
    books: Books
    trace: Trace
    dice: Random
    is_spared: bool = False
    asks_rarely: bool = False
    is_quiet: bool = False  # it asks for nothing before the end
    machine: Machine = field(init=False)

    def __post_init__(self) -> None:
        self.machine = Machine(f"client-{self.account}", self.address, is_spared=self.is_spared)

    async def run(self) -> None:
        """Ask now and then, until cancelled."""
        while not self.is_quiet:
            await asyncio.sleep(self.dice.uniform(*(_LONG_PAUSE if self.asks_rarely else _PAUSE)))
            try:
                await self.ask(self._choose())
            except Lost as lost:
                self.trace.note(self.machine.name, f"got no answer: {lost}")

    def _choose(self) -> tuple[str, ...]:
        if self.dice.random() < 0.2 and self.others:
            return (self.dice.choice(self.others),)
        form = self.dice.choice(("all", "account", "one"))
        if form == "all":
            return self.domains
        return (f"#{self.account}",) if form == "account" else (self.dice.choice(self.domains),)

    async def ask(self, targets: tuple[str, ...]) -> None:
        """Ask for these in one session. Raises Lost."""
        client = await Client.connect()
        try:
            await client.expect("", 220)
            await client.expect("EHLO primary.example", 250)
            await client.start_tls()
            await client.expect("EHLO primary.example", 250)
            secret = base64.b64encode(f"\0{self.account}\0{PASSWORD}".encode()).decode()
            await client.expect(f"AUTH PLAIN {secret}", 235)
            for target in targets:
                await self._ask_one(client, target)
            await client.expect("QUIT", 221)
        finally:
            client.abort()

    async def _ask_one(self, client: Client, target: str) -> None:
        mine = self.domains if target.startswith("#") else {target} & {*self.domains}
        self.books.ask(mine)
        code, text = await client.ask(f"ETRN {target}")
        self.trace.note(self.machine.name, f"ETRN {target}: {code} {text}")
        if code < 400 and not mine:
            self.books.wrongs.append(f"{self.account} asked for {target} and got {code} {text}")
        if code < 400:
            self.books.grant(mine)
