"""Everything a drain needs, in memory: store, directory, log, and a clock that only pauses move.

`World.run` runs a coroutine with a dispatcher. `World.drain` starts a drain and awaits its end. A
pause takes no time: the clock jumps, and `on_pause` may change the world meanwhile.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from restante.background.clocks import Clocks
from restante.delivery.delivery_context import (
    DeliveryContext,
    HeldMailPorts,
    Learn,
    ignore_recipients,
    new_destination_memory,
)
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.dialer import Dialer
from restante.delivery.dispatcher import Dispatcher
from restante.delivery.domain_drain import DomainDrain
from restante.dsn.dsn_writer import DsnWriter
from restante.mail.delivery_report import Report
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.mail.message_origin import MessageOrigin
from restante.network.dns_records import DnsRecordSet
from restante.network.outgoing_http import OutgoingFailed
from restante.network.resolver import LookupFailed, MxAnswer, MxRecord
from restante.queue.drain_word import DrainState
from restante.queue.recipient_status import RecipientStatus
from restante.reports.hop_security import HopSecurity
from restante.reports.mx_delivery import MxAccess
from restante.reports.report_sender import ReportPorts, ReportSender
from restante.reports.report_settings import ReportSettings
from restante.reports.sts_policies import StsPolicies
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.store.queue_store import QueueFilter
from restante.telemetry.events import DrainFinished
from restante.tenancy.model import (
    Account,
    AuthorizedHosts,
    Destination,
    DestinationLogin,
    HostedDomain,
    IpAddress,
    TlsUse,
)
from restante.tenancy.policy import DEFAULT_POLICY, OnRefusal, Policy
from restante.tenancy.sealed_secrets import Vault, destination_owner, new_sealing_key
from tests.contract.store_parts import part_with
from tests.log_lines import Lines
from tests.wire import NOW, audit

DOMAIN = "b.example"


@dataclass
class Names:
    """A resolver with a table."""

    table: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    mx: dict[str, list[MxRecord] | LookupFailed] = field(default_factory=dict)
    secure: set[str] = field(default_factory=set)  # domains whose MX records are validated
    other: dict[tuple[str, str], DnsRecordSet] = field(default_factory=dict)  # by name and type
    policies: dict[str, str] = field(default_factory=dict)  # of MTA-STS, by URL

    async def exchangers(self, domain: str) -> MxAnswer:
        found = self.mx.get(domain, [])
        if isinstance(found, LookupFailed):
            raise found
        return MxAnswer(tuple(found), is_secure=domain in self.secure)

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        return self.other.get((name, kind), DnsRecordSet())

    def forget(self, name: str) -> None:
        self.forgotten.append(name)

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        self.asked.append(name)
        if name not in self.table:
            raise LookupFailed(f"{name}: no such name in DNS", is_temporary=False)
        return tuple(ipaddress.ip_address(text) for text in self.table[name])


@dataclass
class World:
    """One hosted domain, and the events of its mail."""

    settings: DeliverySettings = field(default_factory=DeliverySettings)
    store: MemoryStore = field(default_factory=MemoryStore)
    log: Lines = field(default_factory=Lines)
    names: Names = field(default_factory=Names)
    vault: Vault = field(default_factory=lambda: Vault(new_sealing_key()))
    own_addresses: list[tuple[str, int]] = field(default_factory=list)
    grace: float = 0.0
    learn: Learn = ignore_recipients
    takers: tuple[str, ...] = ()  # destinations that have taken mail before
    now: float = NOW
    stepped: float = 0.0  # by how much the wall clock was set
    pauses: list[float] = field(default_factory=list)
    on_pause: Callable[[], Awaitable[None]] | None = None
    bounces_refused: bool = False
    report_details: bool = False
    held: int = 0  # messages, ever
    end: dict[str, Any] = field(default_factory=dict)  # of the last drain, as logged

    def __post_init__(self) -> None:
        self.directory = LiveDirectory(self.store.records)

    @property
    def monotonic(self) -> float:
        """The clock that nobody sets."""
        return self.now - self.stepped

    def step(self, seconds: float) -> None:
        """Set the wall clock; no time passes."""
        self.now += seconds
        self.stepped += seconds

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        """Pause without pausing."""
        self.pauses.append(round(seconds, 3))
        await asyncio.sleep(0)
        if self.on_pause is not None:
            await self.on_pause()
        if not event.is_set():
            self.now += seconds

    async def host(
        self,
        port: int,
        name: str = DOMAIN,
        *,
        account: str = "alpha",
        policy: Policy = DEFAULT_POLICY,
        **destination: Any,
    ) -> HostedDomain:
        """Host a domain, or change the destination of one that is hosted."""
        await self.store.records.put_account(
            Account("alpha", NOW, report_details=self.report_details), audit()
        )
        if self.bounces_refused:
            policy = replace(policy, on_refusal=OnRefusal.BOUNCE)
        fields = {"host": "127.0.0.1", "port": port, "tls": TlsUse.OFF, **destination}
        present = self.directory.now.domains.get(name)
        domain = HostedDomain(
            present.id if present else 0,
            name,
            account,
            Destination(**fields),
            AuthorizedHosts(),
            NOW,
            policy,
        )
        stored = await self.store.records.put_domain(domain, audit())
        await self.directory.refresh()
        return stored

    def login(self, user: str, password: str, domain: str = DOMAIN) -> DestinationLogin:
        """Make a login for a destination."""
        return DestinationLogin(user, self.vault.seal(password, destination_owner(domain)))

    async def hold(
        self,
        domain: HostedDomain,
        count: int = 1,
        *to: str,
        content: bytes | None = None,
        origin: MessageOrigin | None = None,
    ) -> None:
        """Hold messages; the content of each is its ordinal, unless given."""
        for _ in range(count):
            self.held += 1
            envelope = Envelope("a@a.example", to or ("b@b.example",))
            body = content if content is not None else b"%d\r\n" % self.held
            message = NewMessage(self.held, domain.id, envelope, NOW, body)
            await self.store.reception.hold([message._replace(origin=origin)])

    async def hold_asking(
        self, domain: HostedDomain, envelope: Envelope, content: bytes = b"Subject: x\r\n\r\nx\r\n"
    ) -> None:
        """Hold a message with this envelope."""
        self.held += 1
        await self.store.reception.hold(
            [NewMessage(self.held, domain.id, envelope, self.now, content)]
        )

    async def reports(self) -> list[Report]:
        """Return the reports in the store."""
        return await self.store.reports.due_reports(1e12, 1000, 1 << 30)

    async def hold_large(self, domain: HostedDomain, head: bytes, rest: bytes) -> None:
        """Hold a message whose content is in a file."""
        spool = self.store.reception.open_spool()
        await spool.write(rest)
        self.held += 1
        envelope = Envelope("a@a.example", ("b@b.example",))
        await self.store.reception.hold(
            [NewMessage(self.held, domain.id, envelope, NOW, head, await spool.close())]
        )

    def new_context(self) -> DeliveryContext:
        """Return what deliveries of this world share."""
        store, hostname = self.store, "mx2.example.net"
        clocks = Clocks(lambda: self.now, lambda: self.monotonic, self.wait)
        return DeliveryContext(
            store=HeldMailPorts(
                store.handover, store.content, store.figures, store.retention, store.releases
            ),
            directory=self.directory,
            dialer=Dialer(self.names, hostname, self.own_addresses, lambda: self.settings),
            vault=self.vault,
            memory=new_destination_memory(clocks.monotonic, self.takers),
            dsn_writer=DsnWriter(store.content, hostname, clocks.now, self.log),
            log=self.log,
            clocks=clocks,
            learn=self.learn,
        )

    def new_reports(self, settings: ReportSettings) -> ReportSender:
        """Return the reports of this world, not yet running."""
        context, store = self.new_context(), self.store
        return ReportSender(
            ReportPorts(store.reports, store.queue, store.duties),
            self.directory,
            context.dsn_writer,
            self.mail_access(settings),
            log=self.log,
            clocks=context.clocks,
        )

    def mail_access(self, settings: ReportSettings) -> MxAccess:
        """Return the way of our own messages out of this world."""
        policies = StsPolicies(self.names, self._fetch_policy, lambda: self.monotonic)
        security = HopSecurity(self.names, policies, lambda: settings, lambda: self.now)
        return MxAccess(self.new_context().dialer, self.names, security, lambda: settings)

    async def _fetch_policy(self, url: str) -> str:
        if url not in self.names.policies:
            raise OutgoingFailed("its server answers 404")
        return self.names.policies[url]

    @asynccontextmanager
    async def dispatcher(self) -> AsyncIterator[Dispatcher]:
        """Provide a dispatcher. Tasks that still run at the end of the block are stopped."""
        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(self.new_context(), tasks, self.grace)
            yield dispatcher
            await dispatcher.stop_all()

    async def drain(self, domain: HostedDomain) -> None:
        """Drain a domain, and return when that has ended."""
        async with self.dispatcher() as dispatcher:
            await dispatcher.start(domain, "test")
            await until(lambda: is_idle(dispatcher))
        self.end = self.log.of(DrainFinished)[-1]

    def intercept(self, method: str, instead: Callable[..., Any]) -> None:
        """Let the store do something else."""
        setattr(part_with(self.store, method), method, instead)

    def set(self, **settings: Any) -> None:
        """Change settings."""
        self.settings = self.settings.model_copy(update=settings)

    async def waiting(self, status: RecipientStatus | None = None) -> list[int]:
        """Return the numbers of the messages in the store."""
        return [
            message.number
            for message in await self.store.queue.list_queue(QueueFilter(status=status))
        ]

    async def words(self, number: int) -> list[tuple[str, RecipientStatus, str]]:
        """Return what the store says of a message's recipients."""
        listed = await self.store.queue.list_queue(QueueFilter(numbers=(number,)))
        return [(each.forward_path, each.status, each.reply) for each in listed[0].recipients]


def is_idle(dispatcher: Dispatcher) -> bool:
    """Return whether no drain runs; some may be on record."""
    return all(view.state is DrainState.UNCLAIMED for view in dispatcher.drains())


def only_drain(dispatcher: Dispatcher) -> DomainDrain:
    """Return the drain that runs, which goes to a destination."""
    [drain] = dispatcher._drains.values()
    assert isinstance(drain, DomainDrain)
    return drain


async def until(condition: Callable[[], bool], turns: int = 100_000) -> None:
    """Let the loop turn until something is so."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")
