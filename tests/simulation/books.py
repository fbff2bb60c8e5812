"""The observations outside the server: the evidence for the invariants (invariants.py)."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from restante.telemetry.events import DrainFinished, DrainStarted
from tests.simulation.network import Connection
from tests.simulation.plan import PlannedMail

_RECEIVED: Final = re.compile(rb"Received: from [^\n]*\n(?:[ \t][^\n]*\n)*")
_NAME: Final = re.compile(rb"\sid (\S+?)(?:;|\s)")
_MARK: Final = re.compile(rb"X-Simulated: (\S+)\r\n")


@dataclass(frozen=True)
class Acknowledged:
    """The server took responsibility for a mail."""

    mail: PlannedMail
    name: str  # the server's for it
    paths: tuple[str, ...]  # that were accepted at RCPT
    at: float


@dataclass(eq=False)
class Visit:
    """One connection to a primary."""

    connection: Connection
    primary: str
    at: float
    misbehaved: str = ""  # how the primary did, if it did
    client: str = ""  # its address, as the primary was told; "": none

    @property
    def is_flawed(self) -> bool:
        """Whether the server may not know the outcome of the mail that it sent here."""
        return bool(self.misbehaved) or self.connection.is_cut


@dataclass(frozen=True, slots=True)
class Move:
    """A domain's change of destination. It takes effect between its request and its answer."""

    requested: float
    answered: float
    away_from: str  # a primary


@dataclass(frozen=True, slots=True)
class Offer:
    """A primary got a whole message, and took it or deferred it by policy."""

    name: str
    mark: str
    domain: str
    visit: Visit
    at: float
    is_deferred: bool


@dataclass(frozen=True)
class Taken:
    """A primary has taken a message for one recipient."""

    name: str  # of our server, in its Received field
    mark: str  # of the mail
    reverse_path: str
    path: str
    content: bytes  # without our Received field
    visit: Visit
    at: float


@dataclass
class Books:
    """All of it."""

    clock: Callable[[], float]
    mails: dict[str, PlannedMail] = field(default_factory=dict)  # by mark
    acknowledged: list[Acknowledged] = field(default_factory=list)
    completed: Counter[str] = field(
        default_factory=Counter
    )  # attempts whose end of content left, by mark
    taken: list[Taken] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    suspensions: list[tuple[str, float, float]] = field(default_factory=list)  # domain, from, to
    store_troubles: list[tuple[float, float]] = field(default_factory=list)  # from when to when
    owners: dict[str, set[str]] = field(default_factory=dict)  # of each primary: its domains, ever
    grants: list[tuple[float, str]] = field(default_factory=list)  # when, and for which domain
    # domains that an authorized client asked for all mail of, and when it first did
    asked: dict[str, float] = field(default_factory=dict)
    named: dict[str, dict[str, float]] = field(default_factory=dict)  # domain: names, from when on
    hosts: dict[str, str] = field(default_factory=dict)  # the address that each mail comes from
    offers: list[Offer] = field(default_factory=list)
    # of each domain: when drains began, also those that a crash interrupted; and when they ended
    drain_starts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    drain_ends: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    on_grant: Callable[[str], None] = lambda _domain: None  # is told each, for its timing
    wrongs: list[str] = field(default_factory=list)  # seen while it ran

    def acknowledge(self, mail: PlannedMail, name: str, paths: tuple[str, ...]) -> None:
        """Note a 250 after content."""
        self.acknowledged.append(Acknowledged(mail, name, paths, self.clock()))

    def take(self, visit: Visit, reverse_path: str, paths: tuple[str, ...], raw: bytes) -> None:
        """Note a message that a primary has taken; it is whole, as it came."""
        if (offer := self._offer(visit, paths, raw, is_deferred=False)) is None:
            return
        content = raw[_received(raw) :]
        for path in paths:
            taken = Taken(offer.name, offer.mark, reverse_path, path, content, visit, offer.at)
            self.taken.append(taken)

    def defer(self, visit: Visit, paths: tuple[str, ...], raw: bytes) -> None:
        """Note a message that a primary has deferred by policy."""
        self._offer(visit, paths, raw, is_deferred=True)

    def _offer(
        self, visit: Visit, paths: tuple[str, ...], raw: bytes, *, is_deferred: bool
    ) -> Offer | None:
        name = _NAME.search(raw[: _received(raw)])
        mark = _MARK.search(raw)
        if name is None or mark is None:
            self.wrongs.append(f"{visit.primary} got a message that nobody sent: {raw[:200]!r}")
            return None
        domain = paths[0].partition("@")[2]
        offer = Offer(name[1].decode(), mark[1].decode(), domain, visit, self.clock(), is_deferred)
        self.offers.append(offer)
        return offer

    def ask(self, domains: Iterable[str]) -> None:
        """Note that an authorized client asks for all mail of these."""
        for domain in domains:
            self.asked.setdefault(domain, self.clock())

    def name(self, domain: str, names: Iterable[str]) -> None:
        """Note that an operator releases messages of a domain by their names."""
        known = self.named.setdefault(domain, {})
        for name in names:
            known.setdefault(name, self.clock())

    def note_drain(self, event: DrainStarted | DrainFinished) -> None:
        """Note the beginning of a drain, also when it goes on after a crash, or its end."""
        known = self.drain_starts if isinstance(event, DrainStarted) else self.drain_ends
        known[event.domain].append(self.clock())

    def grant(self, domains: Iterable[str]) -> None:
        """Note that a customer was told that its mail comes."""
        for domain in sorted(domains):
            self.grants.append((self.clock(), domain))
            self.on_grant(domain)

    def visit(self, primary: str, connection: Connection) -> Visit:
        """Return a connection to a primary. A probe says no more than QUIT."""
        return Visit(connection, primary, self.clock())

    def begin(self, visit: Visit) -> None:
        """Note that a primary was given EHLO."""
        if visit not in self.visits[-100:]:
            self.visits.append(visit)
        if not self.owners.get(visit.primary, set()) & (self.asked.keys() | self.named.keys()):
            self.wrongs.append(f"{visit.primary} was given EHLO, and nobody had asked for its mail")


def _received(raw: bytes) -> int:
    """Return where our Received field ends; 0 without one."""
    found = _RECEIVED.match(raw)
    return found.end() if found else 0
