"""An admin context over a memory store, with a server that only remembers what it was told."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from restante.admin.accounts import NewAccount, add_account
from restante.admin.admin_context import (
    ActingRequest,
    AdminContext,
    AdminSettings,
    NetworkAccess,
    OpenListener,
    ProcessParts,
    RequestMemory,
    ScrubFacts,
    ServerVitals,
)
from restante.admin.configuration_state import ConfigurationState
from restante.admin.domain_change import NewDomain
from restante.admin.domains import add_domain
from restante.admin.listing_page import ListingPage
from restante.delivery.drain_state import DrainSnapshot
from restante.mail.envelope import Envelope
from restante.mail.message import NewMessage
from restante.network.dns_records import DnsRecordSet
from restante.network.resolver import LookupFailed
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.queue.drain_word import DrainState, DrainWay
from restante.queue.presence import WatchedDestination
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.reception.intake import Intake, IntakeReceipt, ReceivedMail, hold_all
from restante.release.release_outcome import (
    CannotNow,
    Granted,
    NotATarget,
    Refused,
    ReleaseOutcome,
)
from restante.store.handover_store import Drain
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.memory import MemoryStore
from restante.store.release_store import ReleaseRecord
from restante.telemetry.events import Event
from restante.telemetry.metric_types import Exposition
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import Destination, IpAddress
from restante.tenancy.notice import Channel, Notice
from restante.tenancy.principal import COMMAND_LINE, CONTROL_SOCKET, Principal, Role
from restante.tenancy.release_result import ReleaseResult
from restante.tenancy.sealed_secrets import Vault
from tests.actors import actor_named
from tests.contract.making import opened
from tests.log_lines import fields_of

T = TypeVar("T")

NOW = 1_760_000_000.0
UNPAID = "unpaid.example is suspended: unpaid"
RELEASE = 4711  # the id of each release that the server grants
ALPHA = 1  # the number of the domain that has a drain
HEAD = (
    b"Received: from a\r\n"
    b"\tby b; now\r\n"
    b"Subject: =?utf-8?q?x?=\r\n"
    b"\r\n"
    b"the content is nobody's business\r\n"
)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def all_of(page: Awaitable[ListingPage[T]]) -> list[T]:
    """Read one page of a listing."""
    return list((await page).views)


@dataclass
class FakeServer:
    """Remembers what it was told."""

    released: list[tuple[str, str, str]] = field(default_factory=list)
    principals: list[Principal] = field(default_factory=list)  # of the release requests
    stopped: list[tuple[int, str]] = field(default_factory=list)  # drains, and why
    delivering: set[int] = field(default_factory=set)  # domains whose mail is on its way
    uncertain: int = 0  # of the drain
    drain_state: DrainState = DrainState.DELIVERING
    last_error: str = ""  # of the drain, which then waits to retry
    rate: float = 0.2  # of the drain, messages a second
    last_reply: str = "250 2.0.0 Ok: queued as 4711"  # to a message of the drain
    is_idle: bool = False  # has no drain
    reports_sent: int = 0  # times it was told to
    notices_sent: int = 0  # the same
    state: ConfigurationState = field(default_factory=lambda: ConfigurationState(NOW))
    condition: ServerVitals = field(default_factory=lambda: ServerVitals(False, NOW + 90 * 86400))
    sightings: dict[str, WatchedDestination] = field(default_factory=dict)  # by destination

    async def release(self, target: str, principal: Principal, reason: str) -> ReleaseOutcome:
        self.released.append((target, principal.name, reason))
        self.principals.append(principal)
        if target in ("unknown.example", "alpha.exmple", "beta.exmple"):
            return Refused(target, "not hosted")
        if target == "unpaid.example":
            return CannotNow(target, UNPAID, suspensions=(UNPAID,))
        if target == "busy.example":
            return CannotNow(target, "too many requests in a minute; not audited", seconds=7.5)
        if target == "failing.example":
            return CannotNow(target, "the store failed")
        if not target:
            return NotATarget(is_missing=True)
        return Granted(target, 2, "operator", RELEASE)

    async def release_messages(
        self, domain: str, names: str, principal: Principal, reason: str
    ) -> ReleaseOutcome:
        self.released.append((f"{domain}: {names}", principal.name, reason))
        self.principals.append(principal)
        if domain == "unpaid.example":
            return CannotNow(names, UNPAID, suspensions=(UNPAID,))
        return Granted(names, len(names.split()), "operator", RELEASE)

    def drains(self) -> Iterator[DrainSnapshot]:
        return iter(
            [
                DrainSnapshot(
                    "alpha.example",
                    "192.0.2.1:25",
                    NOW,
                    5,
                    0,
                    1,
                    2,
                    self.drain_state,
                    NOW + 45 if self.last_error else None,
                    self.last_error,
                    uncertain=self.uncertain,
                    rate=self.rate,
                    last_reply=self.last_reply,
                    last_reply_at=NOW - 3,
                )
            ]
        )

    def is_draining(self, domain_id: int) -> bool:
        return domain_id == ALPHA and not self.is_idle

    def drain_of(self, domain_id: int) -> DrainSnapshot | None:
        return next(self.drains()) if self.is_draining(domain_id) else None

    async def configuration(self) -> ConfigurationState:
        return self.state

    def listeners(self) -> Sequence[OpenListener]:
        return [OpenListener("mx", "0.0.0.0:25", "1.2", 7)]

    def vitals(self) -> ServerVitals:
        return self.condition

    def scrub(self) -> ScrubFacts:
        return ScrubFacts(NOW, is_under_way=True, messages=3)

    def sighting(self, destination: Destination) -> WatchedDestination | None:
        return self.sightings.get(destination.text)

    async def metrics(self, accept: str) -> Exposition:
        return Exposition((b"restante_held_messages 7.0\n",), f"text/plain; asked={accept}")

    def send_reports(self) -> None:
        self.reports_sent += 1

    def send_notices(self) -> None:
        self.notices_sent += 1

    async def stop_drain(self, domain_id: int, reason: str) -> bool:
        self.stopped.append((domain_id, reason))
        return any(self.drains())

    @asynccontextmanager
    async def drain_held_off(self, domain_id: int) -> AsyncIterator[bool]:
        yield domain_id not in self.delivering


async def ask_for(
    admin: "AdminWorld",
    number: int,
    target: str,
    domain_id: int,
    *,
    at: float = NOW,
    way: DrainWay = DrainWay.DESTINATION,
) -> Drain:
    """Record an account's request to release its domain, and open the drain or join it."""
    account = target.partition(".")[0]
    release = ReleaseRecord(
        id=number,
        at=at,
        actor=f"login {account}-mail",
        acted_from="192.0.2.25",
        target=target,
        account=account,
        domain=target,
        result=ReleaseResult.GRANTED,
        reason="granted",
        pending=2,
        way=way,
    )
    audit = AuditEntry(at, AuditAction.RELEASE_REQUESTED, release.actor, target, account)
    await admin.store.releases.record_release(release, audit)
    opened = await admin.store.handover.open_drain(domain_id, at, at + 60, number, way=way)
    return opened if isinstance(opened, Drain) else opened.drain


@dataclass
class FakeResolver:
    """Knows a few names."""

    known: dict[str, list[str]] = field(default_factory=dict)
    zone: dict[tuple[str, str], DnsRecordSet] = field(default_factory=dict)  # by name and type

    def forget(self, name: str) -> None:
        pass

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        if name not in self.known:
            raise LookupFailed(f"{name}: no such name in DNS", is_temporary=False)
        return tuple(ipaddress.ip_address(text) for text in self.known[name])

    async def records(self, name: str, kind: str) -> DnsRecordSet:
        return self.zone.get((name, kind), DnsRecordSet())


@dataclass
class Lines:
    """A log that keeps its lines."""

    lines: list[tuple[type[Event], dict[str, Any]]] = field(default_factory=list)

    def publish(self, event: Event) -> None:
        self.lines.append((type(event), fields_of(event)))


@dataclass
class FakeTransports:
    """Records each notice, and gives the answer that a test has set."""

    sent: list[tuple[Channel, Notice]] = field(default_factory=list)
    answer: NoticeAttempt = field(
        default_factory=lambda: NoticeAttempt(NoticeResult.SENT, "204 No Content")
    )

    async def send(self, channel: Channel, notice: Notice) -> NoticeAttempt:
        self.sent.append((channel, notice))
        return self.answer


def with_settings(context: AdminContext, **settings: Callable[[], Any]) -> AdminContext:
    return replace(context, settings=replace(context.settings, **settings))


@dataclass
class AdminWorld:
    """The admin context of an operator, with its store, server and log."""

    store: MemoryStore = field(default_factory=MemoryStore)
    server: FakeServer | None = field(default_factory=FakeServer)
    resolver: FakeResolver = field(
        default_factory=lambda: FakeResolver({"mail.alpha.example": ["192.0.2.1"]})
    )
    log: Lines = field(default_factory=Lines)
    transports: FakeTransports = field(default_factory=FakeTransports)
    own_addresses: Sequence[tuple[str, int]] = (("127.0.0.1", 25), ("127.0.0.1", 2525))

    def __post_init__(self) -> None:
        directory = LiveDirectory(self.store.records)
        self.context = AdminContext(
            store=self.store,
            directory=directory,
            vault=Vault(bytes(32)),
            now=lambda: NOW,
            network=NetworkAccess(
                "mx2.example.net", self.own_addresses, self.resolver, self.resolver
            ),
            settings=AdminSettings(lambda: 50_000_000),
            parts=ProcessParts(
                hold=self._hold,
                recipients=LiveRecipients(self.store.recipients, directory),
                transports=self.transports,
                log=self.log,
            ),
            server=self.server,
            memory=RequestMemory(monotonic=lambda: 0.0),
            request=ActingRequest(
                Principal(
                    Role.OPERATOR,
                    actor_named("operator"),
                    CONTROL_SOCKET if self.server else COMMAND_LINE,
                )
            ),
        )

    def set(self, **settings: Callable[[], Any]) -> None:
        """Change settings that administration asks for."""
        self.context = with_settings(self.context, **settings)

    async def _hold(self, mails: Sequence[ReceivedMail]) -> list[IntakeReceipt]:
        """The intake of the server, for as long as these take."""
        intake = Intake(self.store.reception, self.log, lambda: NOW, hostname="mx2.example.net")
        holding = asyncio.create_task(hold_all(intake, mails))
        await asyncio.sleep(0)
        intake.close()
        await intake.run()
        return await holding

    async def host(self, name: str, account: str, **fields: Any) -> int:
        """Host a domain, and its account if it is not there; returns the domain's id."""
        if account not in self.context.directory.now.accounts:
            await add_account(self.context, NewAccount(name=account))
        given = {"destination": "mail.alpha.example", "allow": ("192.0.2.1",)} | fields
        await add_domain(self.context, NewDomain(name=name, account=account, **given))
        return self.context.directory.now.domains[name].id

    async def hold(
        self,
        number: int,
        domain_id: int,
        *paths: str,
        reverse_path: str = "a@sender.example",
        **fields: Any,
    ) -> None:
        envelope = Envelope(reverse_path, paths, **fields)
        await self.store.reception.hold([NewMessage(number, domain_id, envelope, NOW - 3600, HEAD)])

    async def refuse(
        self,
        number: int,
        domain_id: int,
        path: str,
        reply: str,
        move: RecipientMove = RecipientMove.REFUSED,
    ) -> None:
        """Let the destination refuse a recipient, or leave it uncertain."""
        drain = await opened(self.store, domain_id, NOW, NOW + 60)
        await self.store.handover.settle(
            drain, [MessageOutcome(number, (RecipientOutcome(path, move, reply),))]
        )
        await self.store.handover.close_drain(drain)
