"""Reception on a string instead of a wire: dialogue, intake, releaser, memory store, no sockets.

`hosts` adds domains, accounts and held mail. `transcript` plays a session. Each account has one
login, named after it, and `{account}` in a transcript is its PLAIN initial response.
"""

import asyncio
import base64
import ipaddress
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from restante.checks.check import Check, CheckLimits
from restante.checks.check_runner import CheckRunner
from restante.checks.suspicion import SuspicionCheck
from restante.delivery.cannot_start import CannotStart, TurnaroundBusy
from restante.mail.address import Mailbox, split_mailbox
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage, NewMessage
from restante.network.resolver import LookupFailed
from restante.queue.drain_word import DrainWay
from restante.reception.admission import AdmissionSettings
from restante.reception.after_holding import AfterHolding
from restante.reception.auth_gate import AuthGate
from restante.reception.authentication import Authenticator
from restante.reception.client_name import NameSource
from restante.reception.content_buffer import ContentParts
from restante.reception.credential_lanes import password_lanes, proof_lanes
from restante.reception.dialogue import Dialogue
from restante.reception.domain_facts import FactsLookup
from restante.reception.intake import Intake
from restante.reception.memory_budget import MemoryBudget
from restante.reception.offered_mechanisms import offered_mechanisms
from restante.reception.primary_addresses import ExpectedHosts
from restante.reception.reception_settings import ReceptionSettings
from restante.reception.recipient_admission import AdmissionParts
from restante.reception.services import DialogueServices
from restante.release.authorized_host_lookup import HostNames
from restante.release.release_allowance import ReleaseAllowance
from restante.release.releaser import Releaser
from restante.sasl.cram_md5 import CramMd5
from restante.smtp.limits import SmtpLimits
from restante.smtp.server_options import TAKES_MAIL, ServerOptions, ServiceProfile
from restante.smtp.server_session import ServerSession
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.memory import MemoryStore
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import (
    Account,
    Destination,
    HostedDomain,
    IpAddress,
    Login,
    parse_authorized_hosts,
)
from restante.tenancy.passwords import hash_password
from restante.tenancy.policy import Policy
from restante.tenancy.quota import Quota
from restante.tenancy.recipients import Recipient
from restante.tenancy.sealed_secrets import Vault, login_owner
from tests.log_lines import Lines
from tests.transcript import play

T = TypeVar("T")

NOW = 1_800_000_000.0
PASSWORD = "a password in plain sight"
CHALLENGE = b"<1.2@mx2.example.net>"
HOME = ipaddress.ip_address("192.0.2.10")
_PASSWORD_HASH = hash_password(PASSWORD)  # once: it is slow on purpose


def audit(action: AuditAction = AuditAction.DOMAIN_ADDED) -> AuditEntry:
    """An entry for changes that the world makes."""
    return AuditEntry(NOW, action, "test", "test")


@dataclass
class NoDrains:
    """Takes note of the drains that would start."""

    started: list[str] = field(default_factory=list)
    is_broken: bool = False
    is_busy: bool = False  # with a turnaround of the account
    turned: list[list[str]] = field(default_factory=list)
    turnarounds: list["NoTurnaround"] = field(default_factory=list)

    async def turn(
        self, domains: Sequence[HostedDomain], login: Login, address: IpAddress, release: int
    ) -> "NoTurnaround":
        if self.is_busy:
            raise TurnaroundBusy
        if self.is_broken:
            raise CannotStart("the server is stopping")
        assert login.turnaround
        assert address == HOME
        assert release
        self.turned.append([domain.name for domain in domains])
        self.turnarounds.append(NoTurnaround())
        return self.turnarounds[-1]

    async def start(
        self,
        domain: HostedDomain,
        requested_by: str,
        release: int,
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> None:
        if self.is_broken:
            raise CannotStart("the server is stopping")
        self.started.append(domain.name)


@dataclass
class NoTurnaround:
    """Takes note of how it would begin or end."""

    called_off: str = ""

    def begin(self, wire: object) -> None:
        raise AssertionError(wire)

    def stop(self) -> None:
        """Nothing runs."""

    def call_off(self, reason: str) -> None:
        self.called_off = reason


@dataclass
class Names:
    """A DNS of a few names."""

    known: dict[str, tuple[IpAddress, ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    def forget(self, name: str) -> None:
        pass

    async def addresses(self, name: str) -> tuple[IpAddress, ...]:
        self.asked.append(name)
        if self.is_away or name not in self.known:
            raise LookupFailed(name, is_temporary=self.is_away)
        return self.known[name]


PORT = 4711  # of the client


class Wire:
    """The world of one test."""

    def __init__(
        self,
        settings: ReceptionSettings | None = None,
        *,
        store: MemoryStore | None = None,
        client_names: NameSource | None = None,
    ) -> None:
        self.settings = settings or ReceptionSettings()
        self.store = store or MemoryStore()
        self.directory = LiveDirectory(self.store.records)
        self.recipients = LiveRecipients(self.store.recipients, self.directory)
        self.log = Lines()
        self.drains = NoDrains()
        self.names = Names()
        self.client_names = client_names
        self.vault = Vault(bytes(32))
        self.peer: IpAddress = HOME
        self.now = NOW
        self.stepped = 0.0  # by how much the wall clock was set
        self.memory_budget = MemoryBudget(self.settings.octets_in_flight_limit)
        self.delays: list[float] = []
        self.asked: list[str] = []  # mailboxes, at the destination
        self.mailboxes: dict[str, bool] = {}  # its answers; about others nothing can be known now
        self.checks: list[tuple[Check, CheckLimits]] = [
            (SuspicionCheck(self.directory), CheckLimits())
        ]
        self.profile: ServiceProfile = TAKES_MAIL  # of the listener
        self.may_turn = True  # the connection can be given away
        self.is_up = False  # the destinations, as far as is known
        pending = self.settings.pending_authentications_limit
        self._authenticator = Authenticator(
            self.vault, password_lanes(pending), proof_lanes(pending)
        )
        self._runner = asyncio.Runner()
        self._tasks: set[asyncio.Task[None]] = set()
        self._services = self._make_services()
        self.dialogue, self.session = self.connect(has_tls=True)

    def close(self) -> None:
        """Let go of the loop and the threads."""
        self._authenticator.close()
        for task in self._tasks:
            task.cancel()
        self._runner.close()

    async def ask_destination(self, _domain: HostedDomain, path: Mailbox) -> bool | None:
        """Ask the destination."""
        self.asked.append(str(path))
        return self.mailboxes.get(str(path))

    def restart(self) -> None:
        """Forget what is only in memory, but for the store, and begin a new session."""
        self._services = self._make_services()
        self.connect(has_tls=True)

    # The world

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something to its end."""
        return self._runner.run(coroutine)

    def hosts(
        self,
        domain: str,
        *,
        account: str = "alpha",
        holding: int = 0,
        allow: tuple[str, ...] = ("192.0.2.0/24",),
        empty_reply: int = 251,
        **policy: Any,
    ) -> HostedDomain:
        """Host a domain for an account, with so many messages held."""
        if account not in self.directory.now.accounts:
            self._add_account(account, empty_reply)
        hosts = parse_authorized_hosts(allow)
        hosted = HostedDomain(
            0, domain, account, Destination("192.0.2.99"), hosts, NOW, Policy(**policy)
        )
        hosted = self.run(self.store.records.put_domain(hosted, audit()))
        self.run(self.directory.refresh())
        if holding:
            self.run(self.store.reception.hold([self._message(hosted.id) for _ in range(holding)]))
        return hosted

    def lets_turn(self, account: str) -> None:
        """Give the login of an account the right to turnarounds."""
        present = self.directory.now.logins[account]
        self.run(self.store.records.put_login(replace(present, turnaround=True), audit()))
        self.run(self.directory.refresh())

    def change(self, domain: str, **policy: Any) -> None:
        """Change what is given of a domain's policy."""
        present = self.directory.now.domains[domain]
        self.run(
            self.store.records.put_domain(
                replace(present, policy=replace(present.policy, **policy)), audit()
            )
        )
        self.run(self.directory.refresh())

    def set_quota(self, account: str, quota: Quota) -> None:
        """Change an account's quota."""
        present = self.directory.now.accounts[account]
        self.run(self.store.records.put_account(replace(present, quota=quota), audit()))
        self.run(self.directory.refresh())

    def knows(self, domain: str, *recipients: Recipient) -> None:
        """Let recipients of a domain be known."""
        hosted = self.directory.now.domains[domain]
        self.run(self.store.recipients.learn(hosted.id, recipients))
        self.run(self.recipients.refresh(hosted))

    def held(self, domain: str) -> list[HeldMessage]:
        """Return the messages held for a domain, oldest first."""
        of_domain = self.directory.now.domains[domain].id
        found = self.run(self.store.handover.held(of_domain, 0, 1000, 2**40))
        return sorted(found, key=lambda message: message.number)  # suspect mail was last

    def trail(self) -> list[AuditEntry]:
        """Return the release requests in the audit trail, oldest first."""
        entries = self.run(self.store.audit.audit(limit=1000))
        asked = (AuditAction.RELEASE_REQUESTED, AuditAction.TURNAROUND_REQUESTED)
        return [entry for entry in reversed(entries) if entry.action in asked]

    # The session

    def connect(self, *, has_tls: bool) -> tuple[Dialogue, ServerSession]:
        """Begin a session and get past greeting and EHLO."""
        self.dialogue, self.session = self._connect(has_tls=has_tls)
        self.send(b"EHLO client.example\r\n")
        self.session.data_to_send()
        return self.dialogue, self.session

    def _connect(self, *, has_tls: bool) -> tuple[Dialogue, ServerSession]:
        salting = self._authenticator.salting
        mechanisms = {
            **offered_mechanisms("mx2.example.net", lambda user: salting(user, self.directory.now)),
            "CRAM-MD5": lambda: CramMd5(CHALLENGE),
        }
        limits = SmtpLimits(
            message_octets=self.settings.message_size_limit,
            recipients=self.settings.recipients_limit,
            errors=self.settings.errors_limit,
            junk_commands=self.settings.junk_commands_limit,
            refused_recipients=self.settings.refused_recipients_limit,
        )
        session = ServerSession(
            ServerOptions("mx2.example.net", limits, mechanisms, True, self.profile),
            has_tls=has_tls,
        )
        dialogue = Dialogue(
            self._services,
            session,
            self.peer,
            lambda: None,
            port=PORT,
            may_turn_around=lambda: self.may_turn,
        )
        if has_tls:
            dialogue.tls = "TLSv1.3 TLS_AES_256_GCM_SHA384"
        return dialogue, session

    def send(self, data: bytes) -> None:
        """Give bytes, and wait until every answer has come."""
        self.run(self._send(data))

    def transcript(self, text: str, **values: str) -> None:
        """Play a transcript (tests/transcript.py). `{account}` is its PLAIN initial response."""
        logins = {name: initial_response(name) for name in self.directory.now.accounts}
        play(text, self.send, self.session.data_to_send, **{**logins, **values})

    async def _send(self, data: bytes) -> None:
        self.session.receive_data(data)
        self.dialogue.advance()
        while self.dialogue.is_waiting or any(not task.done() for task in self._tasks):
            await self._settle_tasks()

    async def _settle_tasks(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks)
            self._tasks = {task for task in self._tasks if not task.done()}
        await self._empty_intake()

    async def _empty_intake(self) -> None:
        intake = self._services.intake
        turn = asyncio.ensure_future(intake.run())
        intake.close()
        await turn

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        return task

    async def _sleep(self, seconds: float) -> None:
        """Take note of the delay and do not wait."""
        self.delays.append(seconds)

    @property
    def monotonic(self) -> float:
        """The clock that nobody sets."""
        return self.now - self.stepped

    def step(self, seconds: float) -> None:
        """Set the wall clock; no time passes."""
        self.now += seconds
        self.stepped += seconds

    def _make_services(self) -> DialogueServices:
        host_names = HostNames(self.names, lambda: self.monotonic)
        expected = ExpectedHosts(self.directory, host_names.known)
        after_holding = AfterHolding(
            self.store.figures, self.directory, self.log, lambda: self.monotonic
        )
        intake = Intake(
            self.store.reception,
            self.log,
            lambda: self.now,
            hostname="mx2.example.net",
            on_held=after_holding.held,
        )
        releaser = Releaser(
            figures=self.store.figures,
            releases=self.store.releases,
            directory=self.directory,
            drains=self.drains,
            host_names=host_names,
            log=self.log,
            now=lambda: self.now,
            allowance=ReleaseAllowance(self.settings.releases_per_minute, lambda: self.monotonic),
        )
        return DialogueServices(
            admission=self._admission_parts(after_holding),
            content=ContentParts(
                self.store.reception, self.store.content, self.memory_budget, self._spawn
            ),
            intake=intake,
            auth_gate=AuthGate(
                self._authenticator, expected, self.settings, lambda: self.monotonic, self._sleep
            ),
            releaser=releaser,
            log=self.log,
            settings=self.settings,
            store=self.store.upkeep,
            checks=[
                CheckRunner(check, limits, self.log, lambda: self.monotonic)
                for check, limits in self.checks
            ],
        )

    def _admission_parts(self, after_holding: AfterHolding) -> AdmissionParts:
        return AdmissionParts(
            directory=self.directory,
            facts=FactsLookup(
                self.store.figures,
                self.directory,
                lambda: self.now,
                is_up=lambda destination: self.is_up,
                book=self.recipients.of,
            ),
            after_holding=after_holding,
            settings=AdmissionSettings(
                "mx2.example.net",
                split_mailbox(self.settings.postmaster) if self.settings.postmaster else None,
            ),
            callout=self.ask_destination,
            is_drill=lambda given, domain: given == f"drill-{domain.name}",
            client_names=self.client_names,
        )

    def _add_account(self, name: str, empty_reply: int) -> None:
        self.run(self.store.records.put_account(Account(name, NOW, empty_reply), audit()))
        login = Login(name, name, _PASSWORD_HASH, self.vault.seal(PASSWORD, login_owner(name)), NOW)
        self.run(self.store.records.put_login(login, audit()))
        self.run(self.directory.refresh())

    def _message(self, domain_id: int) -> NewMessage:
        envelope = Envelope("a@a.example", ("b@b.example",))
        return NewMessage(
            self.store.reception.numbers().next(self.now),
            domain_id,
            envelope,
            self.now,
            b"Subject: x\r\n\r\nbody\r\n",
        )


def initial_response(user: str, password: str = PASSWORD) -> str:
    """Return the PLAIN initial response of a login."""
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()
