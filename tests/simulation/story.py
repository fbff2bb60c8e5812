"""One run: the server and everybody around it, from the beginning until all is well again."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from pydantic import SecretStr

from restante.admin.accounts import NewAccount, add_account
from restante.admin.domain_change import NewDomain
from restante.admin.domains import add_domain
from restante.admin.hold_again import MessagesToHoldAgain, hold_again
from restante.admin.logins import NewLogin, add_login
from restante.mail.message import message_name
from restante.queue.recipient_status import RecipientStatus
from restante.store.store_url import StoreKind
from restante.tenancy.model import TlsUse
from tests.simulation.books import Books
from tests.simulation.client import Lost
from tests.simulation.customers import PASSWORD, Customer
from tests.simulation.determinism import determined
from tests.simulation.faulty_store import Disk
from tests.simulation.invariants import Evidence, Finding, check, lost_mail
from tests.simulation.network import Machine, Network, Weather
from tests.simulation.plan import CALM, Plan, make_plan, store_of
from tests.simulation.primaries import Primary
from tests.simulation.senders import Sender
from tests.simulation.server_machine import ServerMachine, edges_replaced
from tests.simulation.sqlite_disk import SqliteDisk, without_threads
from tests.simulation.trace import Trace
from tests.simulation.troubles import Troubles
from tests.simulation.virtual_loop import VirtualLoop

_SENDING_SECONDS: Final = 600.0  # for the last acknowledgment, once all is well
_ROUNDS: Final = 30  # of releases at the end
_ROUND_SECONDS: Final = 15.0
_LINES: Final = 60  # of a timeline


@dataclass(frozen=True)
class Result:
    """The result of a run."""

    plan: Plan
    findings: list[Finding]
    trace: Trace
    seconds: float  # of the clock in the story
    acknowledged: int
    delivered: int
    lives: int  # of the server
    store: StoreKind

    @property
    def report(self) -> str:
        """Describe the first finding, and how to have it again."""
        first = self.findings[0]
        chosen = "" if self.store is store_of(self.plan.seed) else f" STORE={self.store}"
        lines = self.trace.about((*first.words, "machine:", "disk:"), _LINES)
        more = f"\n(and {len(self.findings) - 1} more findings)" if self.findings[1:] else ""
        return "\n".join(
            [
                f"seed {self.plan.seed}: {first.text}{more}",
                *lines,
                f"again: make simulate SEED={self.plan.seed}{chosen}",
            ]
        )


def simulate(
    seed: int,
    planner: Callable[[int], Plan] = make_plan,
    mutation: Callable[[], AbstractContextManager[Any]] = nullcontext,
    store: StoreKind | None = None,
) -> Result:
    """Run the story of a seed; `store` is the kind of store, if not that of the seed."""
    loop = VirtualLoop(Random(f"threads {seed}"))
    trace = Trace(loop.time)
    disk, threads = _disk(seed, trace, store or store_of(seed))
    with mutation(), threads, edges_replaced(disk) as directory, determined(seed, loop):
        story = Story(planner(seed), loop, disk, trace, directory)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(story.tell())


def _disk(seed: int, trace: Trace, store: StoreKind) -> tuple[Disk, AbstractContextManager[None]]:
    """Return an empty disk, and its work while the story goes on."""
    dice = Random(f"disk {seed}")
    if store is StoreKind.MEMORY:
        return Disk(dice, trace), nullcontext()
    disk = SqliteDisk(dice, trace)
    return disk, without_threads(disk)


class Story:
    """Everybody, and the course of things."""

    def __init__(
        self, plan: Plan, loop: VirtualLoop, disk: Disk, trace: Trace, directory: Path
    ) -> None:
        self.plan, self.loop, self.disk, self.trace = plan, loop, disk, trace
        self.network = Network(Random(f"network {plan.seed}"), trace, plan.weather)
        loop.network = self.network
        self.books = Books(loop.time)
        self.server = ServerMachine(
            loop, self.network, disk, trace, directory, plan.patience, self.books.note_drain
        )
        self.primaries = {domain.name: self._primaries(domain.name) for domain in plan.domains}
        self.customers = [self._customer(nth) for nth in range(len(plan.accounts))]
        self._dice = Random(f"story {plan.seed}")
        self._findings: list[Finding] = []

    def _primaries(self, name: str) -> list[Primary]:
        """Return the one of a domain, and one that it may move to."""
        found = []
        for nth in (0, 1):
            domain = next(one for one in self.plan.domains if one.name == name)
            made = Primary(
                domain,
                self.network,
                self.books,
                self.trace,
                Random(f"primary {name} {nth} {self.plan.seed}"),
                address=domain.address if nth == 0 else domain.address.replace("100.", "101."),
            )
            self.books.owners[made.machine.name] = {name}
            found.append(made)
        return found

    def _customer(self, nth: int) -> Customer:
        account = self.plan.accounts[nth]
        names = [(domain.name, domain.account) for domain in self.plan.domains]
        return Customer(
            account,
            tuple(name for name, of in names if of == account),
            tuple(name for name, of in names if of != account),
            f"203.0.113.{10 + nth}",
            self.books,
            self.trace,
            Random(f"customer {nth} {self.plan.seed}"),
            is_spared=account == CALM,
            asks_rarely=account == CALM and self.plan.seed % 2 == 0,
            is_quiet=account == self.plan.quiet,
        )

    async def tell(self) -> Result:
        """Let it happen."""
        self.server.write_config()
        await self.server.start()
        await self._as_operator(self._record)
        for primaries in self.primaries.values():
            for primary in primaries:
                primary.come()
        senders = self._senders()
        sending = [self._begin(nth, one) for nth, one in enumerate(senders)]
        asking = [
            self.loop.create_task(one.run(), context=one.machine.context) for one in self.customers
        ]
        await Troubles(self.plan, self.server, self.primaries, self.books, self.trace).run()
        await asyncio.sleep(max(0.0, self.plan.duration - self.loop.time()))
        self._findings += lost_mail(self._evidence)
        await self._heal(senders)
        _, unsent = await asyncio.wait(sending, timeout=_SENDING_SECONDS)
        for task in asking:
            task.cancel()
        await self._release_all()
        self._conclude(sending, len(unsent))
        return self._result()

    def _begin(self, number: int, sender: Sender) -> "asyncio.Task[None]":
        """Run a sender on its host."""
        name, mail = f"sender{number}", sender.mail
        nth = len(name) + number
        own = f"203.0.{114 + nth // 250}.{1 + nth % 250}"
        machine = Machine(name, mail.client or own)
        self.books.hosts[mail.mark] = machine.address
        return self.loop.create_task(sender.run(), context=machine.context)

    def _senders(self) -> list[Sender]:
        seed, found = self.plan.seed, []
        for mail in self.plan.mails:
            sender = Sender(mail, self.books, self.trace, Random(f"{mail.mark} {seed}"))
            sender.hangups = self.plan.hangups
            found.append(sender)
        return found

    async def _record(self) -> None:
        """Let the operator host the domains."""
        admin = self.server.admin
        for customer in self.customers:
            await add_account(admin, NewAccount(name=customer.account))
            login = NewLogin(user=customer.account, password=SecretStr(PASSWORD))
            await add_login(admin, customer.account, login)
        for domain in self.plan.domains:
            customer = next(one for one in self.customers if one.account == domain.account)
            new = NewDomain(
                name=domain.name,
                account=domain.account,
                destination=f"{domain.address}:25",
                allow=(customer.address,),
                tls=TlsUse.OFF,
                connections=domain.connections,
                client_address=domain.passing,
            )
            await add_domain(admin, new)

    async def _as_operator(self, work: Callable[[], Any]) -> None:
        machine = self.server.machine
        assert machine is not None
        await self.loop.create_task(work(), context=machine.context)

    async def _heal(self, senders: list[Sender]) -> None:
        """Let all be well from now on."""
        self.trace.note("machine", "all is well from now on")
        self.network.weather = Weather()
        self.disk.failure, self.disk.crash_at = None, None
        for sender in senders:
            sender.hangups = 0.0
        for primaries in self.primaries.values():
            for primary in primaries:
                primary.is_healed = True
                primary.come()
        for _ in range(60):
            await asyncio.sleep(1.0)
            if self.server.is_up and not self.disk.is_broken:
                return
        self._findings.append(Finding("the server does not come up again", ("machine",)))

    async def _release_all(self) -> None:
        """Let everybody ask until nothing is left but what is always refused."""
        for _ in range(_ROUNDS):
            await self._as_operator(self._release_refused)
            for customer in self.customers:
                work = self._ask_for_all(customer)
                await self.loop.create_task(work, context=customer.machine.context)
            await asyncio.sleep(_ROUND_SECONDS)
            if not await self._waiting():
                return

    async def _ask_for_all(self, customer: Customer) -> None:
        try:
            await customer.ask(customer.domains)
        except Lost as lost:
            self.trace.note(customer.machine.name, f"got no answer: {lost}")

    async def _waiting(self) -> list[int]:
        """Return the messages that should still leave."""
        return [
            message.number
            for message in (stored.queued for stored in self.disk.mail())
            if any(
                one.status is not RecipientStatus.REFUSED
                or not one.forward_path.startswith("nobody")
                for one in message.recipients
            )
        ]

    async def _release_refused(self) -> None:
        """Let the operator release what a bad moment of a primary has refused."""
        if names := [message_name(number) for number in await self._waiting()][:1000]:
            named = MessagesToHoldAgain(names=tuple(names), reason="all is well")
            await hold_again(self.server.admin, named)

    @property
    def _evidence(self) -> Evidence:
        server = self.server
        return Evidence(self.plan, self.books, self.disk.mail(), server.starts, server.ends)

    def _conclude(self, sending: list["asyncio.Task[None]"], unsent: int) -> None:
        if unsent:
            self._findings.append(Finding(f"{unsent} senders never got rid of their mail", ("m",)))
        for task in sending:
            if task.done() and (error := task.exception()) is not None:
                raise error
        self._findings += [Finding(text, ("server:",)) for text in self.server.defects]
        self._findings += check(self._evidence)

    def _result(self) -> Result:
        return Result(
            self.plan,
            self._findings,
            self.trace,
            self.loop.time(),
            len(self.books.acknowledged),
            len(self.books.taken),
            self.server.lives,
            StoreKind.SQLITE if isinstance(self.disk, SqliteDisk) else StoreKind.MEMORY,
        )
