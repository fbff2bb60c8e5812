"""In which order reports leave. Pure.

Failures go before delays, delays before successes: a sender whose mail was lost must be told first.
Within one kind accounts take turns, and within an account the domains that the reports go to. So a
flood that one stranger asked for stands behind at most one report of every other share.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from restante.mail.address import split_mailbox
from restante.mail.report import Action

_URGENCY: Final = {Action.FAILED: 0, Action.DELAYED: 1, Action.RELAYED: 2}


class DueReport(NamedTuple):
    """The facts that decide whose turn it is. Iterated with those due longest first."""

    number: int
    action: Action
    account: str  # the account of the mail reported, "" if it no longer exists
    target: str  # the mail domain that it goes to


def target_of(reverse_path: str) -> str:
    """Return the mail domain that a report goes to, in one spelling good enough for sharing."""
    return split_mailbox(reverse_path).domain.lower().rstrip(".")


def fair_order(due: Iterable[DueReport]) -> list[int]:
    """Return the numbers in the order in which they are to leave."""
    of_target: Counter[tuple[Action, str, str]] = Counter()
    of_account: Counter[tuple[Action, str]] = Counter()
    turns = []
    for place, report in enumerate(due):
        target = (report.action, report.account, report.target)
        turns.append((_URGENCY[report.action], of_target[target], place, report))
        of_target[target] += 1
    ranked = []
    for urgency, _, place, report in sorted(turns, key=lambda turn: turn[:3]):
        account = (report.action, report.account)
        ranked.append((urgency, of_account[account], place, report.number))
        of_account[account] += 1
    return [number for *_, number in sorted(ranked)]


def over_limit(waiting: Sequence[DueReport], limit: int) -> list[int]:
    """Return the numbers of the reports to drop so that `limit` wait; `waiting` in the order made.

    The largest shares lose their newest, so that a flood takes no other share's place.
    """
    return fair_order(waiting)[limit:] if len(waiting) > limit else []
