"""From a seed to a story: the peers, the mail they send, and the faults."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from restante.store.store_url import StoreKind
from tests.simulation.network import Weather

CALM: Final = "calm"  # the account whose primary and network never fail
BUSY: Final = "busy"  # the account with many domains whose primaries stall
_WORDS: Final = b"the mail is held at the office until the addressee calls for it .\r\n"


@dataclass(frozen=True)
class PlannedDomain:
    """A hosted domain and its destination."""

    name: str
    account: str
    address: str  # of its primary
    misfortune: float  # share of the connections to its primary that go wrong
    has_chunking: bool
    has_pipelining: bool
    connections: int  # at once, at most
    is_crowded: bool = False  # it gets much mail at once, and its primary fails late

    @property
    def is_calm(self) -> bool:
        """Whether nothing ever goes wrong with it."""
        return self.account == CALM


@dataclass(frozen=True)
class PlannedMail:
    """One mail of a sender, who sends it until the server has it."""

    mark: str
    reverse_path: str
    paths: tuple[str, ...]
    content: bytes  # with CRLF, not dot-stuffed
    at: float  # seconds after the beginning


@dataclass(frozen=True)
class Plan:
    """The whole story, before it happens."""

    seed: int
    domains: tuple[PlannedDomain, ...]
    mails: tuple[PlannedMail, ...]
    weather: Weather
    duration: float  # seconds of trouble
    crashes: int
    stops: int
    reloads: int
    store_troubles: int
    suspensions: int
    moves: int  # of a domain to another primary
    hangups: float  # share of the senders' sessions
    accounts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        names = dict.fromkeys(domain.account for domain in self.domains)
        object.__setattr__(self, "accounts", tuple(names))


def store_of(seed: int) -> StoreKind:
    """Return the kind of store of a seed's story. One on SQLite takes several times as long."""
    return StoreKind.MEMORY if seed % 4 else StoreKind.SQLITE


def peaceful_plan(seed: int) -> Plan:
    """Plan one sender, one primary, and no trouble."""
    dice = Random(f"plan {seed}")
    domains = (PlannedDomain("a0.example", "alpha", "198.51.100.10", 0.0, True, True, 20),)
    mails = _mails(dice, domains, count=5, duration=20.0)
    return Plan(seed, domains, mails, Weather(), 30.0, 0, 0, 0, 0, 0, 0, 0.0)


def make_plan(seed: int) -> Plan:
    """Plan the story of a seed. Kinds of trouble are absent in many, so that each shows alone."""
    dice = Random(f"plan {seed}")
    duration = dice.uniform(60.0, 150.0)
    domains = _domains(dice)
    count = dice.choice((10, 30, 60))
    mails = _mails(dice, domains, count, duration)
    calm = tuple(domain for domain in domains if domain.is_calm)
    mails += _mails(dice, calm, 5, duration, first=len(mails))
    if dice.random() < 0.4:  # for one domain, at once: windows get large
        at = next(nth for nth, domain in enumerate(domains) if not domain.is_calm)
        crowded = replace(
            domains[at],
            has_chunking=True,
            has_pipelining=True,
            connections=1,
            is_crowded=True,
            misfortune=0.8,
        )
        domains = (*domains[:at], crowded, *domains[at + 1 :])
        mails += _mails(dice, (crowded,), dice.choice((100, 250)), 10.0, first=len(mails), most=800)
    is_special = domains[-1].account == BUSY or any(domain.is_crowded for domain in domains)
    is_up = is_special and dice.random() < 0.6  # no crash excuses a late delivery or a copy
    cut = dice.choice((0.0, 0.1, 0.3, 0.5))
    weather = Weather(
        cut=cut, silent=dice.choice((0.0, 0.3)), longest_life=dice.choice((3000, 20_000, 200_000))
    )
    return Plan(
        seed,
        domains,
        mails,
        weather,
        duration,
        crashes=0 if is_up else dice.choice((0, 0, 1, 3, 6)),
        stops=0 if is_up else dice.choice((0, 0, 1)),
        reloads=dice.choice((0, 2)),
        store_troubles=0 if is_up else dice.choice((0, 0, 2, 4)),
        suspensions=dice.choice((0, 0, 1, 2)),
        moves=dice.choice((0, 0, 2)),
        hangups=dice.choice((0.0, 0.2, 0.5)),
    )


def _domains(dice: Random) -> tuple[PlannedDomain, ...]:
    accounts = [CALM, *("alpha", "beta", "gamma")[: dice.randint(1, 3)]]
    counts = {account: dice.randint(1, 2) for account in accounts}
    if dice.random() < 0.5:
        counts[BUSY] = 16
    found: list[PlannedDomain] = []
    for account, count in counts.items():
        misfortune = {CALM: 0.0, BUSY: 1.0}.get(account, dice.choice((0.0, 0.2, 0.5)))
        for nth in range(count):
            found.append(
                PlannedDomain(
                    f"{account}{nth}.example",
                    account,
                    f"198.51.100.{10 + len(found)}",
                    misfortune,
                    has_chunking=dice.random() < 0.5,
                    has_pipelining=dice.random() < 0.8,
                    connections=dice.choice((1, 1, 3, 20)),
                )
            )
    return tuple(found)


def _mails(
    dice: Random,
    domains: tuple[PlannedDomain, ...],
    count: int,
    duration: float,
    *,
    first: int = 0,
    most: int = 4000,
) -> tuple[PlannedMail, ...]:
    mails = []
    for number in range(first, first + count):
        mark = f"m{number}"
        chosen = dice.sample(domains, k=min(len(domains), dice.choice((1, 1, 1, 2))))
        paths = [
            f"{dice.choice(('u', 'v', 'w', 'nobody'))}{nth}@{domain.name}"
            for domain in chosen
            for nth in range(dice.choice((1, 1, 2)))
        ]
        mails.append(
            PlannedMail(
                mark,
                dice.choice(("", "s@sender.example", "t@sender.example")),
                tuple(paths),
                _content(dice, mark, most),
                dice.uniform(0.0, 0.7 * duration),
            )
        )
    return tuple(mails)


def _content(dice: Random, mark: str, most: int) -> bytes:
    size = dice.choice((10, 300, most, 300_000 if dice.random() < 0.02 else most))
    lines = [b"X-Simulated: " + mark.encode(), b"Subject: simulated", b""]
    text = b"\r\n".join(lines) + b"\r\n"
    while len(text) < size:
        text += dice.choice((b".", b"..", b".x", _WORDS[:-2], _WORDS[:-2] * 3)) + b"\r\n"
    return text
