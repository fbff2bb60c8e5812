"""From a seed to a story: the peers, the mail they send, and the faults."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from restante.store.store_url import StoreKind
from restante.tenancy.model import ClientPassing
from tests.simulation.network import Weather

CALM: Final = "calm"  # the account whose primary and network never fail
BUSY: Final = "busy"  # the account with many domains whose primaries stall
POLICED: Final = "t@sender.example"  # the reverse-path that some primaries defer by policy
PATIENCE: Final = 120  # seconds of a drain
UNWANTED_CLIENTS: Final = 100
SHORT_PATIENCE: Final = 5  # so that a story has several drains of mail that stays held
UNWANTED: Final = "203.0.119."  # the network of the clients that screening primaries refuse
_POOL: Final = ("203.0.117.1", "203.0.117.2", "2001:db8:5::1", "2001:db8:5::2")  # shared clients
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
    passing: ClientPassing = ClientPassing.NONE  # how its primary learns the client
    takes_ipv6: bool = True  # as the address of a client
    policed_at: str = ""  # the step at which its primary defers POLICED by policy; "": none
    refuses_at: str = ""  # the step at which its primary refuses clients of UNWANTED; "": none
    refuses_by: str = ""  # and in which way

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
    client: str = ""  # the address of its host, perhaps that of others; "": one of its own

    @property
    def is_unwanted(self) -> bool:
        """Whether screening primaries refuse its client."""
        return self.client.startswith(UNWANTED)


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
    named_releases: int = 0  # by an operator
    quiet: str = ""  # the account that asks for nothing before the end
    patience: int = PATIENCE
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
    plan = Plan(
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
    return _with_screening(
        _with_clients(dice, _with_policy(dice, _with_named_releases(dice, plan)))
    )


def _with_named_releases(dice: Random, plan: Plan) -> Plan:
    """Have messages released by name; perhaps an account gets no other mail before the end."""
    spared = {CALM, BUSY, *(domain.account for domain in plan.domains if domain.is_crowded)}
    accounts = [account for account in plan.accounts if account not in spared]
    quiet = dice.choice(accounts) if len(accounts) > 1 and dice.random() < 0.5 else ""
    return replace(plan, quiet=quiet, named_releases=6 if quiet else dice.choice((0, 0, 4)))


def _with_policy(dice: Random, plan: Plan) -> Plan:
    """Have a primary defer some mail by policy, in drain after drain."""
    chosen = [domain for domain in _changeable(plan) if domain.account != plan.quiet]
    if not chosen or dice.random() < 0.5:
        return plan
    domain = dice.choice(chosen)
    policed = replace(domain, connections=1, policed_at=dice.choice(("CONTENT", "CONTENT", "RCPT")))
    mails = _mails(dice, (policed,), 16, plan.duration, first=len(plan.mails))
    return replace(
        plan,
        domains=tuple(policed if one is domain else one for one in plan.domains),
        mails=plan.mails + mails,
        patience=SHORT_PATIENCE,
    )


def _with_clients(dice: Random, plan: Plan) -> Plan:
    """Have primaries learn the clients of mail, some of which share an address or have IPv6."""
    if changeable := _changeable(plan):
        ways = dice.choice(((ClientPassing.NONE,), (ClientPassing.NONE, *ClientPassing)))
        told = {
            domain.name: replace(domain, passing=dice.choice(ways), takes_ipv6=dice.random() < 0.5)
            for domain in changeable
        }
        domains = tuple(told.get(domain.name, domain) for domain in plan.domains)
        plan = replace(plan, domains=domains)
    return replace(plan, mails=tuple(_from_host(dice, mail) for mail in plan.mails))


def _with_screening(plan: Plan) -> Plan:
    """Have a primary of the calm account refuse many clients, whose mail comes before the other."""
    dice = Random(f"screening {plan.seed}")
    if dice.random() < 0.7:
        return plan
    passing = dice.choice((ClientPassing.PROXY, ClientPassing.XCLIENT))
    steps = ("GREETING", "EHLO") if passing is ClientPassing.PROXY else ("XCLIENT", "EHLO")
    domain = PlannedDomain(
        "screened.example",
        CALM,
        f"198.51.100.{10 + len(plan.domains)}",
        0.0,
        has_chunking=dice.random() < 0.5,
        has_pipelining=dice.random() < 0.8,
        connections=dice.choice((1, 3, 20)),
        passing=passing,
        refuses_at=dice.choice(steps),
        refuses_by=dice.choice(("refuse", "busy", "close")),
    )
    if Random(f"blocked {plan.seed}").random() < 0.3:
        domain = replace(domain, refuses_at="RCPT", refuses_by="policy")
    mails = tuple(
        PlannedMail(
            mark := f"m{len(plan.mails) + nth}",
            "s@sender.example",
            ("u0@screened.example",),
            _content(dice, mark, 300),
            dice.uniform(0.0, 5.0) if nth < UNWANTED_CLIENTS else dice.uniform(5.0, 40.0),
            f"{UNWANTED}{nth + 1}" if nth < UNWANTED_CLIENTS else "",
        )
        for nth in range(UNWANTED_CLIENTS + 6)
    )
    return replace(plan, domains=(*plan.domains, domain), mails=plan.mails + mails)


def _changeable(plan: Plan) -> list[PlannedDomain]:
    """Return the domains that no other invariant needs as they are."""
    return [one for one in plan.domains if one.account not in (CALM, BUSY) and not one.is_crowded]


def _from_host(dice: Random, mail: PlannedMail) -> PlannedMail:
    own = f"2001:db8:6::1{mail.mark.removeprefix('m')}"
    return replace(mail, client=dice.choice(("", "", own, dice.choice(_POOL))))


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
