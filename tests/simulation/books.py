"""The observations outside the server: the evidence for the invariants (invariants.py)."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

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
    asked: set[str] = field(default_factory=set)  # domains that an authorized client asked for
    on_grant: Callable[[str], None] = lambda _domain: None  # is told each, for its timing
    wrongs: list[str] = field(default_factory=list)  # seen while it ran

    def acknowledge(self, mail: PlannedMail, name: str, paths: tuple[str, ...]) -> None:
        """Note a 250 after content."""
        self.acknowledged.append(Acknowledged(mail, name, paths, self.clock()))

    def take(self, visit: Visit, reverse_path: str, paths: tuple[str, ...], raw: bytes) -> None:
        """Note a message that a primary has taken; it is whole, as it came."""
        field_ = _RECEIVED.match(raw)
        name = _NAME.search(field_[0]) if field_ else None
        mark = _MARK.search(raw)
        if field_ is None or name is None or mark is None:
            self.wrongs.append(f"{visit.primary} got a message that nobody sent: {raw[:200]!r}")
            return
        for path in paths:
            taken = Taken(
                name[1].decode(),
                mark[1].decode(),
                reverse_path,
                path,
                raw[field_.end() :],
                visit,
                self.clock(),
            )
            self.taken.append(taken)

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
        if not self.owners.get(visit.primary, set()) & self.asked:
            self.wrongs.append(f"{visit.primary} was given EHLO, and nobody had asked for its mail")
