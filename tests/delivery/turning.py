"""A turnaround without a session before it: a connection to a scripted primary is the client's."""

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from restante.delivery.client_turnaround import ClientTurnaround
from restante.delivery.dispatcher import Dispatcher
from restante.network.wire import Wire
from restante.tenancy.model import Destination, HostedDomain, Login
from restante.tenancy.policy import Policy, TurnaroundPolicy
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World, until
from tests.wire import NOW, audit

ADDRESS = ipaddress.ip_address("203.0.113.5")
LOGIN = Login("acme-mail", "alpha", "$argon2id$", None, NOW, turnaround=True)
ALLOWED = Policy(turnaround=TurnaroundPolicy.ALLOW)


@dataclass
class Turning:
    """A world whose login may take mail."""

    world: World = field(default_factory=World)

    async def hosts(self, name: str = "b.example", count: int = 0, **more: Any) -> HostedDomain:
        """Host a domain that allows turnarounds, with so many messages."""
        policy = replace(ALLOWED, **more)
        domain = await self.world.host(9, name, policy=policy)
        if LOGIN.user not in self.world.directory.now.logins:
            await self.world.store.records.put_login(LOGIN, audit())
            await self.world.directory.refresh()
        await self.world.hold(domain, count, f"x@{name}")
        return domain

    async def leads_to(self, domain: HostedDomain, primary: ScriptedPrimary) -> HostedDomain:
        """Record a primary as the domain's destination; return the domain as it is now."""
        there = Destination("127.0.0.1", primary.port)
        await self.world.store.records.put_domain(replace(domain, destination=there), audit())
        await self.world.directory.refresh()
        return self.world.directory.now.domains[domain.name]

    async def put_login(self, login: Login) -> None:
        """Change the login."""
        await self.world.store.records.put_login(login, audit())
        await self.world.directory.refresh()

    async def granted(
        self, dispatcher: Dispatcher, *domains: HostedDomain, release: int = 0
    ) -> ClientTurnaround:
        """Prepare a turnaround."""
        return await dispatcher.turn(domains, LOGIN, ADDRESS, release)

    async def begun(
        self, dispatcher: Dispatcher, client: ScriptedPrimary, *domains: HostedDomain
    ) -> ClientTurnaround:
        """Begin one over a connection to the client."""
        turnaround = await self.granted(dispatcher, *domains)
        turnaround.begin(await wire_to(client))
        return turnaround

    async def whole(
        self, dispatcher: Dispatcher, client: ScriptedPrimary, *domains: HostedDomain
    ) -> None:
        """Run one to its end."""
        turnaround = await self.begun(dispatcher, client, *domains)
        await turnaround.over.wait()
        await ended(dispatcher, domains)


async def ended(dispatcher: Dispatcher, domains: Sequence[HostedDomain]) -> None:
    """Wait until nothing runs for these domains."""
    await until(lambda: not any(dispatcher.runs_here(one.id) for one in domains))


async def wire_to(client: ScriptedPrimary) -> Wire:
    """Return a wire that nobody owns, as a session gives it away."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(Wire, "127.0.0.1", client.port)
    return wire
