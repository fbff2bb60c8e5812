"""Which reports may leave beside those under way. Pure.

A stranger chooses the host that a report goes to, and that host may accept a connection and say
nothing. So hosts are served beside each other, in lanes. Each action has lanes of its own, and so
have first attempts. The first attempt finds slow hosts; then they hold only the lanes of repeated
attempts. An account has a share of the lanes of each kind.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from restante.mail.delivery_report import ReportAction

LANES: Final = 12  # of each kind: target domains served at once
ACCOUNT_LANES: Final = 5  # of each kind


class LaneKind(NamedTuple):
    """The kind of lane that a report needs."""

    action: ReportAction
    is_repeated: bool  # it was tried before


class LaneUse(NamedTuple):
    """The lane of a delivery. All of its reports are of one kind and go to one target domain."""

    kind: LaneKind
    account: str  # the account of the mail reported, "" if it no longer exists
    target: str  # the mail domain that it goes to


def lane_kind(action: ReportAction, failures: int) -> LaneKind:
    """Return the kind of lane for a report after `failures` attempts."""
    return LaneKind(action, failures > 0)


@dataclass(frozen=True, slots=True)
class OccupiedLanes:
    """The lanes in use at one moment, and the turns that were taken shortly before."""

    targets: frozenset[tuple[LaneKind, str]] = frozenset()
    full: frozenset[tuple[LaneKind, str]] = frozenset()  # accounts with all of their lanes in use
    exhausted: frozenset[LaneKind] = frozenset()
    turns: tuple[LaneUse, ...] = ()  # one for each report

    def admit(self, use: LaneUse) -> bool:
        """Return whether a delivery of this use may begin beside them."""
        return (
            use.kind not in self.exhausted
            and (use.kind, use.account) not in self.full
            and (use.kind, use.target) not in self.targets
        )


NONE_OCCUPIED: Final = OccupiedLanes()


class ReportLanes:
    """The lanes of all deliveries under way."""

    def __init__(self) -> None:
        self._uses: set[LaneUse] = set()

    def occupied(self, turns: Iterable[LaneUse] = ()) -> OccupiedLanes:
        """Return the lanes in use now; `turns` were taken shortly before."""
        kinds = Counter(use.kind for use in self._uses)
        accounts = Counter((use.kind, use.account) for use in self._uses)
        return OccupiedLanes(
            frozenset((use.kind, use.target) for use in self._uses),
            frozenset(share for share, count in accounts.items() if count >= ACCOUNT_LANES),
            frozenset(kind for kind, count in kinds.items() if count >= LANES),
            tuple(turns),
        )

    def take(self, use: LaneUse) -> bool:
        """Take a lane; return False, and take none, if there is none for this use."""
        if not self.occupied().admit(use):
            return False
        self._uses.add(use)
        return True

    def leave(self, use: LaneUse) -> None:
        """Give a lane back."""
        self._uses.discard(use)
