"""Limits on failed sign-ins to the portal: by user, by address block, and by both.

Each attempt counts as failed when it begins, and is taken back if it succeeds. So many attempts at
one moment are no way around a limit. An attempt beyond a limit is not examined and does not count.

The limit of a user from everywhere stops guesses from many addresses. It does not hold for a block
from which this user has signed in before, so that strangers lock no user out there. Limitation: a
restart forgets these blocks.

A user who is signed in and shows a factor again counts alone, wherever the session is used. So the
wrong sign-ins of others, from the same block or for the same user, lock nobody out.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from restante.network.addresses import address_block, plain_address
from restante.request_limits.failed_logins import FailureLedger, ShareLedger, share_with_nobody
from restante.tenancy.model import IpAddress

MEMORY_SECONDS: Final = 900.0
OF_USER_AND_BLOCK: Final = 5  # failures
OF_BLOCK: Final = 20
OF_USER: Final = 50
OF_STEP_UP: Final = 5  # of a user who is signed in
MOST_KNOWN: Final = 10_000  # blocks of users


class SignInLimits:
    """Counts attempts. Belongs to the event loop."""

    def __init__(
        self, monotonic: Callable[[], float], share: ShareLedger = share_with_nobody
    ) -> None:
        """`monotonic` is in seconds that only grow. `share` shares failures with other servers."""
        self._monotonic = monotonic
        self._both = share("sign-in", FailureLedger(OF_USER_AND_BLOCK, MEMORY_SECONDS))
        self._blocks = share("sign-in-block", FailureLedger(OF_BLOCK, MEMORY_SECONDS))
        self._users = share("sign-in-user", FailureLedger(OF_USER, MEMORY_SECONDS))
        self._step_ups = share("step-up", FailureLedger(OF_STEP_UP, MEMORY_SECONDS))
        self._known: OrderedDict[tuple[str, int], None] = OrderedDict()

    def begin(self, email: str, address: IpAddress) -> bool:
        """Count an attempt as failed; False if there were too many before. Then it counts not."""
        now, counts = self._monotonic(), self._counts(email, address)
        is_known = self.is_known(email, address)
        for ledger, key in counts:
            is_of_limit = ledger is not self._users or not is_known
            if is_of_limit and ledger.is_refused((key,), now):
                return False
        for ledger, key in counts:
            ledger.failed((key,), now)
        return True

    def is_known(self, email: str, address: IpAddress) -> bool:
        """Return whether this user has signed in from this block."""
        return (email, _block_of(address)) in self._known

    def succeeded(self, email: str, address: IpAddress) -> None:
        """Take an attempt back, and forget the failures of this user from there."""
        pair = (email, _block_of(address))
        self._both.succeeded((pair,))
        self._blocks.take_back((pair[1],))
        self._users.take_back((email,))
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def take_back(self, email: str, address: IpAddress) -> None:
        """Take back an attempt that was not examined."""
        for ledger, key in self._counts(email, address):
            ledger.take_back((key,))

    def begin_again(self, email: str) -> bool:
        """Count an attempt of a user who is signed in as failed; False after too many."""
        now = self._monotonic()
        if self._step_ups.is_refused((email,), now):
            return False
        self._step_ups.failed((email,), now)
        return True

    def succeeded_again(self, email: str) -> None:
        """Forget the failures of a user who is signed in."""
        self._step_ups.succeeded((email,))

    def take_back_again(self, email: str) -> None:
        """Take back an attempt of a user who is signed in, as it was not examined."""
        self._step_ups.take_back((email,))

    def _counts(self, email: str, address: IpAddress) -> list[tuple[FailureLedger, Hashable]]:
        block = _block_of(address)
        return [(self._both, (email, block)), (self._blocks, block), (self._users, email)]


def _block_of(address: IpAddress) -> int:
    return address_block(plain_address(address))
