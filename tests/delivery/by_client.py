"""Drains to a destination that is told the client, on a clock that jumps."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from restante.mail.message_origin import MessageOrigin
from restante.queue.recipient_status import RecipientStatus
from restante.store.queue_store import QueueFilter
from restante.tenancy.model import ClientPassing, HostedDomain
from tests.delivery.drained import play
from tests.delivery.scripted_primary import TARPIT, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World, is_idle

WITH_XCLIENT = ("PIPELINING", "XCLIENT NAME ADDR PORT HELO REVERSE_NAME")


PASSINGS = [ClientPassing.PROXY, ClientPassing.XCLIENT]


LISTED = "554 5.7.1 listed"


BLOCKED = "554 5.7.1 Service unavailable; Client host blocked using zen.example"


def origin(host: int, hello: str = "") -> MessageOrigin:
    return MessageOrigin(f"198.51.100.{host}", 40000 + host, hello or f"h{host}.example")


def stranger(number: int) -> MessageOrigin:
    return MessageOrigin(f"192.0.2.{number}", 1, f"s{number}.example")


STRANGERS = [stranger(n) for n in range(1, 201)]


GOOD = [origin(n) for n in range(1, 6)]


def primary_for(passing: ClientPassing, script: Script | None = None) -> ScriptedPrimary:
    offer = WITH_XCLIENT if passing is ClientPassing.XCLIENT else ("PIPELINING",)
    speaks_proxy = passing is ClientPassing.PROXY
    return ScriptedPrimary(script or {}, offer=offer, speaks_proxy=speaks_proxy)


def listing(
    passing: ClientPassing, moment: str, reply: str, network: str = "192.0.2."
) -> ScriptedPrimary:
    """Return a primary that says a reply to the clients of a network at one moment."""
    primary = primary_for(passing)
    none = "554 5.5.1 no valid recipients"
    behind = {"MAIL": {"RCPT": none, "DATA": none}, "RCPT": {"DATA": none}}.get(moment, {})
    primary.network, primary.network_script = network, {**behind, moment: reply}
    return primary


def silent_for(passing: ClientPassing, network: str) -> Script:
    """Return a script of a server that leaves these clients without an answer."""
    unknown = "NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL]"
    moment = "GREETING" if passing is ClientPassing.PROXY else f"XCLIENT {unknown}"
    address = network if passing is ClientPassing.PROXY else f"ADDR={network}"
    return {f"{moment} {address}": TARPIT}


def drained(
    primary: ScriptedPrimary,
    passing: ClientPassing,
    origins: Sequence[MessageOrigin | None],
    *,
    world: World | None = None,
    connections: int = 20,
    patience: float = 0.0,
) -> World:
    """Hold a message of each origin, in order, and drain them."""
    world = world or World()
    world.set(patience=patience)

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        for one in origins:
            await world.hold(domain, origin=one)
        await world.drain(domain)

    play(world, primary, scene, run_swiftly, client_address=passing, connections=connections)
    return world


@dataclass
class Drained:
    """The results of a drain. Times are in seconds from its beginning."""

    world: World
    primary: ScriptedPrimary
    times: list[float]  # of each message taken
    end: float


def watched(
    primary: ScriptedPrimary,
    passing: ClientPassing,
    mail: Sequence[MessageOrigin],
    *,
    seconds: float = 180.0,
    wanted: int = 1000,
    patience: float = 0.0,
    later: Mapping[int, Sequence[MessageOrigin]] = MappingProxyType({}),
    **destination: Any,
) -> Drained:
    """Drain for so long, or until so many messages were taken, on a clock that jumps.

    `later` is mail that comes at a second.
    """
    world, times, ends = World(), list[float](), [0.0]
    world.set(patience=patience, reply_timeout=60.0)

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        now, began = asyncio.get_running_loop().time, 0.0
        for one in mail:
            await world.hold(domain, origin=one)
        async with world.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            began = now()
            coming = dict(later)
            while not is_idle(dispatcher) and ends[0] < seconds and len(primary.taken) < wanted:
                times.extend([ends[0]] * (len(primary.taken) - len(times)))
                for second in [one for one in coming if one <= ends[0]]:
                    for each in coming.pop(second):
                        await world.hold(domain, origin=each)
                await asyncio.sleep(1.0)
                ends[0] = now() - began
            times.extend([ends[0]] * (len(primary.taken) - len(times)))

    play(world, primary, scene, run_swiftly, client_address=passing, **destination)
    return Drained(world, primary, times, ends[0])


def names(primary: ScriptedPrimary) -> dict[int, str]:
    """The client that each message came in the name of."""
    return {int(taken.content): taken.client for taken in primary.taken}


def header_of(primary: ScriptedPrimary, address: str, start: int = 0) -> int:
    """Return the place of the first header with an address, among those from a place on."""
    packed = ipaddress.ip_address(address).packed
    headers = enumerate(primary.headers)
    return next(at for at, one in headers if at >= start and one[16:20] == packed)


def statuses(world: World) -> Counter[RecipientStatus]:
    listed = asyncio.run(world.store.queue.list_queue(QueueFilter()))
    found = [asyncio.run(world.words(one.number)) for one in listed]
    return Counter(status for words in found for _, status, _ in words)


def counted_drains(world: World) -> list[int]:
    listed = asyncio.run(world.store.queue.list_queue(QueueFilter()))
    return [one.policy_deferrals for one in sorted(listed, key=lambda one: one.number)]
