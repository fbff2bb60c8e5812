"""The messages that a drain of named messages hands over, as its releases named them.

They are on record before the drain is. So each server that takes the drain over knows them, and a
drain whose releases are forgotten hands nothing over.
"""

from typing import Final

from restante.mail.message import message_number
from restante.queue.drain_word import DrainWay
from restante.store.handover_store import Drain
from restante.store.release_store import PastRelease, ReleaseFilter, ReleaseStore
from restante.tenancy.model import HostedDomain

_WAITED_SECONDS: Final = 900.0  # a request may have waited for the end of another drain
_MOST_RELEASES: Final = 1000  # of one drain


async def named_messages(releases: ReleaseStore, lease: Drain, domain: HostedDomain) -> list[int]:
    """Return the numbers that the releases of a drain name, in their order. Raises StoreError."""
    own = await releases.releases(ReleaseFilter(ids=(lease.release,)))
    joined = await releases.releases(
        ReleaseFilter(
            domain=(domain.name, domain.id),
            since=lease.requested_at - _WAITED_SECONDS,
            limit=_MOST_RELEASES,
        )
    )
    numbers = {number for one in (*own, *joined) if _is_of(one) for number in _numbers(one)}
    return sorted(numbers)


def _is_of(release: PastRelease) -> bool:
    """Tell whether a release waits for named messages: its drain is the domain's present one."""
    return release.record.way is DrainWay.MESSAGES and release.progress.open > 0


def _numbers(release: PastRelease) -> list[int]:
    return [message_number(name) for name in release.record.target.split()]
