"""Whether a record waits for a keeper: a change, a proof of a domain, or a drill.

The code of the keepers is larger than their work on most servers. So this needs none of it.
"""

from typing import Final

from restante.admin.drill_marks import BEGUN, TIMED, TOLD
from restante.background.loop_slices import in_slices
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import ProofPolicy

WALKED_AT_ONCE: Final = 1000  # domains: mail waits meanwhile
# A timer that was taken from its domain leaves the second and the third.
_MARKS: Final = (BEGUN, TIMED, TOLD)


async def is_keeper_needed(store: Store, directory: LiveDirectory) -> bool:
    """Tell whether a keeper has anything to look at. Raises StoreError."""
    if await store.schedule.waiting_changes(limit=1):
        return True
    for kind in _MARKS:
        if await store.retention.marks(kind):
            return True
    async for some in in_slices(directory.now.domains.values(), WALKED_AT_ONCE):
        if any(map(_needs_keeper, some)):
            return True
    return False


def _needs_keeper(domain: HostedDomain) -> bool:
    policy = domain.policy
    return policy.drill_every is not None or policy.proof is not ProofPolicy.NONE
