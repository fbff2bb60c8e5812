"""The invariants of every run. Each finding names the words to look for in the trace.

- Acknowledged mail is delivered or held, at every moment.
- A primary gets mail of its own domains once, octet by octet. A copy needs an excuse: a flawed
  connection before, or a server that crashed or could not write just then. One connection never
  makes more copies than a window has messages.
- A mail is held no more often than its sender sent it to the end.
- Nothing leaves without a request, or for the place that a domain has moved away from.
- The account without troubles has its mail soon after it asked, whatever happens to the others, and
  however many clients its primary refuses. It can refuse them before their mail or at RCPT. If the
  server crashes meanwhile, it goes on by itself.
- Nothing leaves for a suspended domain.
- A primary that learns the client of its mail learns the one that the mail came from.
- Before a domain's mail is asked for, only messages leave that an operator has named.
- Mail that a policy deferred in a drain is tried after other mail in the later ones.
- When all is well again, all mail leaves; mail that is always refused stays, marked so.
"""

import math
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from restante.queue.recipient_status import RecipientStatus
from restante.tenancy.model import ClientPassing
from tests.simulation.books import Books, Offer, Taken, Visit
from tests.simulation.faulty_store import StoredMail
from tests.simulation.plan import POLICED, Plan

WINDOW: Final = 64  # messages: the documented limit of `run_ahead`
JUST_THEN: Final = 5.0  # seconds in which an outcome is written
SERVE_SECONDS: Final = 60.0  # for the calm account
_DIAL_SECONDS: Final = 15.0  # that a connection may take to be made


@dataclass(frozen=True)
class Finding:
    """One broken invariant."""

    text: str
    words: tuple[str, ...] = ()  # its message, its account: the lines of the trace that have them


@dataclass(frozen=True)
class Evidence:
    """The final state of a run."""

    plan: Plan
    books: Books
    mail: Sequence[StoredMail]  # in the store
    starts: Sequence[float]  # of the server's lives: when it was ready
    ends: Sequence[tuple[float, str]]  # of them: when, how


def stored(mail: Sequence[StoredMail]) -> dict[tuple[str, str], RecipientStatus]:
    """Return the status of each recipient in the store, by mail name and forward-path."""
    found = {}
    for message in mail:
        for recipient in message.queued.recipients:
            found[message.name, recipient.forward_path] = recipient.status
    return found


def lost_mail(evidence: Evidence) -> Iterator[Finding]:
    """Yield acknowledged mail that is nowhere. True at every moment."""
    present = stored(evidence.mail)
    delivered = {(taken.name, taken.path) for taken in evidence.books.taken}
    for one in evidence.books.acknowledged:
        for path in one.paths:
            if (one.name, path) not in present and (one.name, path) not in delivered:
                yield Finding(
                    f"{one.mail.mark} was acknowledged at {one.at:.3f} s as {one.name}, and is lost"
                    f" for {path}",
                    (one.name, f"{one.mail.mark}:"),
                )


def check(evidence: Evidence) -> list[Finding]:
    """Return all that is wrong at the end."""
    checks = (
        lost_mail,
        _strange_mail,
        _copies,
        _surplus,
        _unserved,
        _wrong_places,
        _left_over,
        _suspended,
        _false_clients,
        _unnamed,
        _deferred_not_last,
    )
    found = [Finding(text, (text.partition(" ")[0],)) for text in evidence.books.wrongs]
    for one in checks:
        found += one(evidence)
    return found


def _strange_mail(evidence: Evidence) -> Iterator[Finding]:
    books = evidence.books
    for taken in books.taken:
        mail = books.mails.get(taken.mark)
        words = (taken.name, taken.mark + ":")
        if mail is None or taken.path not in mail.paths:
            yield Finding(f"{taken.mark} for {taken.path} was delivered, and never sent", words)
        elif taken.content != mail.content or taken.reverse_path != mail.reverse_path:
            yield Finding(f"{taken.mark} ({taken.name}) was changed on its way", words)
        if taken.path.partition("@")[2] not in books.owners[taken.visit.primary]:
            yield Finding(
                f"{taken.visit.primary} got mail of another: {taken.mark} for {taken.path}", words
            )


def _copies(evidence: Evidence) -> Iterator[Finding]:
    by_message: dict[tuple[str, str], list[Taken]] = defaultdict(list)
    for taken in evidence.books.taken:
        by_message[taken.name, taken.path].append(taken)
    doubled: dict[Visit, set[str]] = defaultdict(set)
    for (name, path), copies in by_message.items():
        for taken in copies[:-1]:
            doubled[taken.visit].add(name)
            if not taken.visit.is_flawed and not _was_troubled(evidence, taken.at):
                yield Finding(
                    f"{name} for {path} was delivered again, without a reason: first at"
                    f" {taken.at:.3f} s by {taken.visit.connection.text}",
                    (name, taken.visit.connection.text),
                )
    for visit, names in doubled.items():
        if len(names) > WINDOW and not _was_troubled(evidence, visit.at):
            yield Finding(
                f"{visit.connection.text} made {len(names)} copies, more than {WINDOW}",
                (visit.connection.text,),
            )


def _was_troubled(evidence: Evidence, at: float) -> bool:
    """Tell whether the server could not write an outcome of that moment."""
    has_ended = any(at <= when <= at + JUST_THEN for when, _ in evidence.ends)
    return has_ended or any(
        begin <= at + JUST_THEN and at <= end + JUST_THEN
        for begin, end in evidence.books.store_troubles
    )


def _surplus(evidence: Evidence) -> Iterator[Finding]:
    books = evidence.books
    names: dict[str, set[str]] = defaultdict(set)
    for taken in books.taken:
        names[taken.mark].add(taken.name)
    for one in books.acknowledged:
        names[one.mail.mark].add(one.name)
    for mark, found in names.items():
        if len(found) > books.completed[mark]:
            yield Finding(
                f"{mark} was held {len(found)} times and sent {books.completed[mark]} times",
                (f"{mark}:",),
            )


def _unserved(evidence: Evidence) -> Iterator[Finding]:
    books = evidence.books
    calm = {domain.name for domain in evidence.plan.domains if domain.is_calm}
    came: dict[tuple[str, str], float] = {}
    for taken in books.taken:
        came.setdefault((taken.name, taken.path), taken.at)
    for one in books.acknowledged:
        for path in one.paths:
            domain = path.partition("@")[2]
            if domain not in calm or path.startswith("nobody") or one.mail.is_unwanted:
                continue
            asked = next((at for at, name in books.grants if name == domain and at >= one.at), None)
            at = came.get((one.name, path), math.inf)
            if asked is not None and at > _deadline(evidence, asked):
                yield Finding(
                    f"{domain} was promised {one.name} at {asked:.1f} s, and got it at {at:.1f} s",
                    (one.name, domain),
                )


def _deadline(evidence: Evidence, asked: float) -> float:
    """Return until when mail must have left that was asked for then.

    A drain that a crash or a failing store has ended begins again by itself.
    """
    deadline = asked + SERVE_SECONDS
    for when, _ in sorted(evidence.ends):
        if asked - JUST_THEN <= when <= deadline:
            start = min((at for at in evidence.starts if at > when), default=math.inf)
            deadline = max(deadline, start + SERVE_SECONDS)
    if any(begin <= deadline and end >= asked for begin, end in evidence.books.store_troubles):
        return math.inf
    return deadline


def _suspended(evidence: Evidence) -> Iterator[Finding]:
    books = evidence.books
    for name, begin, end in books.suspensions:
        for visit in books.visits:
            if name in books.owners[visit.primary] and begin + _DIAL_SECONDS < visit.at < end:
                yield Finding(
                    f"{visit.primary} was connected to while {name} was suspended", (name,)
                )


def _false_clients(evidence: Evidence) -> Iterator[Finding]:
    books = evidence.books
    told = {one.name for one in evidence.plan.domains if one.passing is not ClientPassing.NONE}
    for taken in books.taken:
        came_from, said = books.hosts.get(taken.mark), taken.visit.client
        if taken.path.partition("@")[2] in told and said != came_from:
            yield Finding(
                f"{taken.name} from {came_from} was handed over to {taken.visit.primary} in the"
                f" name of {said or 'nobody'}",
                (taken.name, taken.visit.connection.text),
            )


def _unnamed(evidence: Evidence) -> Iterator[Finding]:
    books = evidence.books
    for taken in books.taken:
        domain = taken.path.partition("@")[2]
        if taken.at >= books.asked.get(domain, math.inf):
            continue
        if books.named.get(domain, {}).get(taken.name, math.inf) > taken.at:
            yield Finding(
                f"{taken.name} for {taken.path} left, and only other messages were named",
                (taken.name, domain),
            )


def _deferred_not_last(evidence: Evidence) -> Iterator[Finding]:
    """Look at primaries with one connection, to which mail goes in its order.

    Limitation: one drain in 16384 has the mark of the drain before it (mail/policy_deferrals.py).
    Then a finding is false.
    """
    for domain in evidence.plan.domains:
        is_in_order = domain.connections == 1 and domain.passing is ClientPassing.NONE
        if domain.policed_at and is_in_order and domain.name not in evidence.books.named:
            yield from _out_of_order(evidence, domain.name)


def _out_of_order(evidence: Evidence, domain: str) -> Iterator[Finding]:
    books = evidence.books
    held_at = {one.name: one.at for one in books.acknowledged}
    deferred: dict[str, int] = {}  # the number of the first drain that met it, by message
    last: dict[Visit, str] = {}  # the message that should be among the last ones
    for offer in books.offers:
        if offer.domain != domain or offer.at > evidence.plan.duration:
            continue
        nth = bisect(books.drain_ends[domain], offer.visit.at)
        if offer.is_deferred:
            if deferred.get(offer.name, nth) < nth:
                last[offer.visit] = offer.name
            if not offer.visit.is_flawed and not _was_troubled(evidence, offer.at):
                deferred.setdefault(offer.name, nth)
        elif (first := last.get(offer.visit)) and _should_be_earlier(
            evidence, offer, held_at.get(offer.name, math.inf)
        ):
            yield Finding(
                f"{offer.name} was tried behind {first}, which a policy had deferred in an earlier"
                " drain",
                (offer.name, first, domain),
            )


def _should_be_earlier(evidence: Evidence, offer: Offer, held_at: float) -> bool:
    """Tell whether a message was held when its drain began, and nothing changed the order since.

    Mail that a connection has lost is tried again out of its order.
    """
    books, visit = evidence.books, offer.visit
    began = max(at for at in books.drain_starts[offer.domain] if at < visit.at)
    is_policed = books.mails[offer.mark].reverse_path == POLICED
    return (
        held_at < began
        and not is_policed
        and not any(
            one.is_flawed and one.primary == visit.primary and one.at > began
            for one in books.visits
        )
    )


def _wrong_places(evidence: Evidence) -> Iterator[Finding]:
    """Look for connections to where a domain was before; it may have moved back since."""
    moves = evidence.books.moves
    for move in moves:
        name = move.away_from
        back = min(
            (
                other.requested
                for other in moves
                if other.answered > move.answered and other.away_from != name
            ),
            default=math.inf,
        )
        for visit in evidence.books.visits:
            if visit.primary == name and move.answered + _DIAL_SECONDS < visit.at < back:
                yield Finding(f"{name} was connected to long after its domain had moved", (name,))


def _left_over(evidence: Evidence) -> Iterator[Finding]:
    for (name, path), status in stored(evidence.mail).items():
        should_stay = path.startswith("nobody") and status is RecipientStatus.REFUSED
        if not should_stay:
            yield Finding(f"{name} for {path} is still {status.value} at the end", (name,))
    refused = Counter(
        taken.path for taken in evidence.books.taken if taken.path.startswith("nobody")
    )
    for path in refused:
        yield Finding(f"{path} is always refused, and was delivered", (path,))
