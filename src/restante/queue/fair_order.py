"""In which order reports leave. Pure.

Failures go before delays, delays before successes: a sender whose mail was lost must be told first.
Within one kind accounts take turns, and within an account the domains that the reports go to. So a
flood that one stranger asked for stands behind at most one report of every other share. A stranger
has any number of subdomains, so domains with the same last two labels take turns together first.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, NamedTuple

from restante.mail.address import split_mailbox
from restante.mail.delivery_report import ReportAction
from restante.queue.report_lanes import LaneUse, lane_kind

_URGENCY: Final = {ReportAction.FAILED: 0, ReportAction.DELAYED: 1, ReportAction.RELAYED: 2}


class DueReport(NamedTuple):
    """The facts that decide whose turn it is. Iterated with those due longest first."""

    number: int
    action: ReportAction
    account: str  # the account of the mail reported, "" if it no longer exists
    target: str  # the mail domain that it goes to
    is_repeated: bool = False  # it was tried before

    @property
    def use(self) -> LaneUse:
        """The lane that it needs."""
        return LaneUse(lane_kind(self.action, self.is_repeated), self.account, self.target)


def target_of(reverse_path: str) -> str:
    """Return the mail domain that a report goes to, in one spelling good enough for sharing."""
    return split_mailbox(reverse_path).domain.lower().rstrip(".")


def fair_order(due: Iterable[DueReport], turns: Sequence[LaneUse] = ()) -> list[int]:
    """Return the numbers in the order in which they are to leave.

    `turns` were taken shortly before. Without them, the same share would come first again each time
    that one report may leave.
    """
    order = sorted(due, key=lambda report: _URGENCY[report.action])
    for share in (
        lambda use: (use.kind.action, use.account, use.target),
        lambda use: (use.kind.action, use.account, _family(use.target)),
        lambda use: (use.kind.action, use.account),
    ):
        order = _take_turns(order, share, Counter(map(share, turns)))
    return [report.number for report in order]


def _take_turns(
    reports: Iterable[DueReport],
    share: Callable[[LaneUse], Hashable],
    taken: Counter[Hashable],
) -> list[DueReport]:
    """Have the shares of each action take turns; each share keeps its order."""
    turns = []
    for place, report in enumerate(reports):
        mine = share(report.use)
        turns.append((_URGENCY[report.action], taken[mine], place, report))
        taken[mine] += 1
    return [report for *_, report in sorted(turns, key=lambda turn: turn[:3])]


def _family(target: str) -> str:
    """Return the last two labels of a domain."""
    return ".".join(target.rsplit(".", 2)[-2:])


def over_limit(waiting: Sequence[DueReport], limit: int) -> list[int]:
    """Return the numbers of the reports to drop so that `limit` wait; `waiting` in the order made.

    The largest shares lose their newest, so that a flood takes no other share's place.
    """
    return fair_order(waiting)[limit:] if len(waiting) > limit else []
