"""Verdicts about a domain's own records: requests for its mail, and the room for it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from restante.mail.quantity import counted
from restante.queue.held_peak import HeldAmount
from restante.readiness.drill_facts import NO_DRILL, DrillFacts, drill_row
from restante.readiness.drill_timer import proof_limit
from restante.readiness.filter_trust import TrustFacts, trust_row
from restante.readiness.readiness_row import (
    ReadinessCheck,
    ReadinessRow,
    ReadinessRows,
    failed,
    not_known,
    passed,
    warned,
)
from restante.tenancy.policy import AtEnd, HoldPolicy, Policy

NEARLY_FULL: Final = 0.8  # of a quota
OLD_DAYS: Final = 180  # since the last request
VOLUME_DAYS: Final = 7  # in which arrivals are counted, and the most that was held is looked for
SHORT_DAYS: Final = 5.0  # of retention: an outage over a long weekend
_DAY: Final = 86_400.0
_MIB: Final = 1024 * 1024
NOTHING_HELD: Final = HeldAmount(0, 0)


class RecentArrivals(NamedTuple):
    """The mail that arrived in the last days, held or not."""

    messages: int = 0
    octets: int = 0
    is_all: bool = True  # False: there is more, which was not counted


NOTHING_ARRIVED: Final = RecentArrivals()


@dataclass(frozen=True, slots=True)
class LastRelease:
    """The newest request of a login for the domain's mail that was granted."""

    at: float  # Unix time
    actor: str
    acted_from: str


@dataclass(frozen=True, slots=True)
class RecordFacts:
    """The facts of the records and of the store. Times are Unix time."""

    domain: str
    now: float
    policy: Policy
    has_login: bool  # of its account
    authorized: tuple[str, ...]
    unresolved: tuple[str, ...] = ()  # authorized names without an address now
    last_release: LastRelease | None = None
    refusals: Mapping[str, int] = field(default_factory=dict)  # of 30 days, by their true reason
    messages: int = 0  # in the store
    octets: int = 0
    most_held: HeldAmount = NOTHING_HELD  # in the last days; not less than now
    arrived: RecentArrivals = NOTHING_ARRIVED
    longest_outage: float = 0.0  # seconds, of those that were seen
    is_room_short: bool = False
    drill: DrillFacts = NO_DRILL
    trust: TrustFacts | None = None  # of its filters, as the last drill showed it


def record_rows(facts: RecordFacts) -> list[ReadinessRow]:
    """Return the rows that follow from the facts."""
    return [
        trust_row(facts.domain, facts.trust, facts.now),
        *_release_rows(facts),
        drill_row(facts.domain, facts.drill, facts.now, proof_limit(facts.policy.drill_every)),
        *_room_rows(facts),
    ]


def _release_rows(facts: RecordFacts) -> ReadinessRows:
    check = ReadinessCheck.RELEASE
    if facts.refusals:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in facts.refusals.items())
        remedy = "`restante drain list --past` shows who asked, and from where"
        yield warned(check, f"requests were refused in 30 days: {reasons}", remedy)
    if facts.unresolved:
        names = ", ".join(facts.unresolved)
        remedy = "correct the name, or authorize the address"
        yield warned(check, f"authorized hosts without an address now: {names}", remedy)
    last = facts.last_release
    if last is not None:
        yield _asked_row(facts, last)
    elif facts.policy.hold is not HoldPolicy.UNTIL_ASKED:
        yield passed(check, f"hold is {facts.policy.hold}: mail leaves without a request")
    elif not (facts.has_login and facts.authorized):
        lacks = "login" if not facts.has_login else "authorized host"
        remedy = "add a login and an authorized host, and ask once from the primary"
        yield failed(check, f"nobody can ask for the mail: there is no {lacks}", remedy)
    else:
        remedy = "ask once from the primary by ETRN: it proves login, TLS and host"
        yield not_known(check, "never proven: no login has asked for this domain's mail", remedy)


def _asked_row(facts: RecordFacts, last: LastRelease) -> ReadinessRow:
    check, days = ReadinessCheck.RELEASE, int((facts.now - last.at) / _DAY)
    when = f"{counted(days, 'day')} ago" if days else "today"
    evidence = f"{last.actor} asked from {last.acted_from} {when}"
    if days > OLD_DAYS:
        return warned(check, evidence, "ask again from the primary, to prove that it still works")
    return passed(check, evidence)


def _room_rows(facts: RecordFacts) -> ReadinessRows:
    check, policy = ReadinessCheck.ROOM, facts.policy
    problems = [*_room_problems(facts), *_volume_problems(facts)]
    for evidence, remedy in problems:
        yield warned(check, evidence, remedy)
    if problems:
        return
    kept = policy.retention.seconds
    span = "without an end" if kept is None else f"for {kept / _DAY:.0f} days"
    quota = policy.quota.octets
    room = "no quota" if quota is None else f"quota {quota / _MIB:,.0f} MiB"
    held = f"{counted(facts.messages, 'message')}, {facts.octets / _MIB:,.1f} MiB held"
    most = facts.most_held
    before = f"{most.messages:,} and {most.octets / _MIB:,.1f} MiB at most in {VOLUME_DAYS} days"
    arrived = _arrived_text(facts.arrived)
    yield passed(check, f"{held}, {before}; {arrived}; {room}; mail is kept {span}")


def _arrived_text(arrived: RecentArrivals) -> str:
    least = "" if arrived.is_all else "at least "
    amount = f"{counted(arrived.messages, 'message')}, {arrived.octets / _MIB:,.1f} MiB"
    return f"{least}{amount} arrived in {VOLUME_DAYS} days"


def _volume_problems(facts: RecordFacts) -> Iterator[tuple[str, str]]:
    """Compare the quota with mail that arrives as lately, for as long as it has to be kept."""
    policy, arrived = facts.policy, facts.arrived
    kept = policy.retention.seconds
    days = (max(facts.longest_outage, SHORT_DAYS * _DAY) if kept is None else kept) / _DAY
    for amount, limit, unit in (
        (arrived.octets, policy.quota.octets, "octets"),
        (arrived.messages, policy.quota.messages, "messages"),
    ):
        needed = round(amount * days / VOLUME_DAYS)
        if limit is None or needed <= limit:
            continue
        evidence = f"{_arrived_text(arrived)}: so {days:.1f} days without the destination need"
        evidence += f" {needed:,} of {limit:,} {unit} of the quota"
        yield evidence, f"raise it: `restante domain set {facts.domain} --quota SIZE`"


def _room_problems(facts: RecordFacts) -> Iterator[tuple[str, str]]:
    """Yield evidence and remedy of each problem."""
    policy, name = facts.policy, facts.domain
    if facts.is_room_short:
        yield "the disk of this server is nearly full: new mail is deferred", "make room there"
    most = facts.most_held
    for used, peak, limit, unit in (
        (facts.octets, most.octets, policy.quota.octets, "octet"),
        (facts.messages, most.messages, policy.quota.messages, "message"),
    ):
        if limit is None or max(used, peak) < limit * NEARLY_FULL:
            continue
        evidence = f"{used:,} of {counted(limit, unit)} of the quota are used"
        if used < limit * NEARLY_FULL:
            evidence = f"{peak:,} of {counted(limit, unit)} of the quota were used"
            evidence += f" in the last {VOLUME_DAYS} days"
        yield evidence, f"raise it: `restante domain set {name} --quota SIZE`"
    kept = policy.retention.seconds
    if kept is None or policy.retention.at_end is AtEnd.KEEP:
        return
    longest = facts.longest_outage
    if longest > kept:
        evidence = f"an outage took {longest / _DAY:.1f} days, and mail is kept {kept / _DAY:.1f}"
        yield evidence, f"keep it longer: `restante domain set {name} --retention AGE`"
    elif kept < SHORT_DAYS * _DAY:
        evidence = f"mail is kept for {kept / _DAY:.1f} days: a long weekend can be longer"
        yield evidence, f"keep it longer: `restante domain set {name} --retention AGE`"
