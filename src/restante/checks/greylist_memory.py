"""The mail that was asked to come again, within bounds. Pure: the time is an argument.

Mail is known by its account, its client's network and a key. New mail has to come again after five
minutes, and within a day. From then on it passes, until it has not come for a day.

Strangers fill this memory, so it has bounds, and nobody pushes others out:

    where there is no room            for new mail
    --------------------------------  ------------------------------------------------
    among the mail of one network     it passes if mail of that network came again
                                      within a day; otherwise it takes the place of the
                                      network's own oldest mail
    among the mail of one account     it passes
    in all                            it takes the place of mail of the account with
                                      the most; for that account itself, it passes

Old mail is removed little by little: each call looks at two networks.
"""

from collections import Counter, OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

DELAY: Final = 300.0  # seconds until mail may come again
WINDOW: Final = 86400.0  # seconds in which it must
MOST_OF_NETWORK: Final = 200  # for one account
MOST_OF_ACCOUNT: Final = 10_000
MOST: Final = 50_000
_SWEPT_AT_ONCE: Final = 2


@dataclass(slots=True)
class _NetworkMail:
    """The mail of one network for one account: from when it may pass, oldest first."""

    ready_at: dict[int, float] = field(default_factory=dict)
    proven_until: float = 0.0  # mail of it came again

    def forget_old(self, now: float) -> int:
        """Remove mail whose day is over; return how much."""
        old = [key for key, at in self.ready_at.items() if at + WINDOW <= now]
        for key in old:
            del self.ready_at[key]
        return len(old)

    def forget_oldest(self) -> None:
        """Remove the mail that is known for longest."""
        del self.ready_at[next(iter(self.ready_at))]


class GreylistMemory:
    """The memory of one process."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._networks: dict[str, OrderedDict[int, _NetworkMail]] = {}  # by account, and by block
        self._counts: Counter[str] = Counter()  # by account
        self._largest = ""  # the account with the most, about
        self._to_sweep: deque[tuple[str, int]] = deque()
        self.size = 0

    def may_pass(self, account: str, block: int, key: int, now: float) -> bool:
        """Return whether mail came again, or there is no room for it; otherwise remember it."""
        self._sweep(now)
        network = self._network(account, block)
        if network is not None and (ready_at := network.ready_at.get(key)) is not None:
            if now < ready_at:
                return False
            if now < ready_at + WINDOW:
                del network.ready_at[key]
                network.ready_at[key] = now  # for another day, and behind the others
                network.proven_until = now + WINDOW
                return True
            network.ready_at[key] = now + DELAY
            return False
        return not self._remember(account, block, key, now)

    def _remember(self, account: str, block: int, key: int, now: float) -> bool:
        """Note new mail, and return True; or return False if it must pass for want of room."""
        network = self._network(account, block)
        if network is not None and len(network.ready_at) >= MOST_OF_NETWORK:
            if now < network.proven_until:
                return False
            network.forget_oldest()
            self._add(account, -1)
        elif self._counts[account] >= MOST_OF_ACCOUNT:
            return False
        elif self.size >= self._most:
            if self._counts[self._largest] <= self._counts[account] + 1:
                return False
            self._make_room()
        if network is None:
            network = self._networks.setdefault(account, OrderedDict())[block] = _NetworkMail()
            self._to_sweep.append((account, block))
        network.ready_at[key] = now + DELAY
        self._add(account, 1)
        return True

    def _network(self, account: str, block: int) -> _NetworkMail | None:
        networks = self._networks.get(account)
        return None if networks is None else networks.get(block)

    def _make_room(self) -> None:
        """Forget some mail of the account with the most."""
        account = self._largest
        block, network = next(iter(self._networks[account].items()))
        network.forget_oldest()
        self._add(account, -1)
        if not network.ready_at:
            self._forget_network(account, block)

    def _add(self, account: str, count: int) -> None:
        self.size += count
        self._counts[account] += count
        if self._counts[account] > self._counts[self._largest]:
            self._largest = account

    def _sweep(self, now: float) -> None:
        for _ in range(min(_SWEPT_AT_ONCE, len(self._to_sweep))):
            account, block = self._to_sweep.popleft()
            network = self._network(account, block)
            if network is None:
                continue
            self._add(account, -network.forget_old(now))
            if network.ready_at:
                self._to_sweep.append((account, block))
            else:
                self._forget_network(account, block)

    def _forget_network(self, account: str, block: int) -> None:
        networks = self._networks[account]
        del networks[block]
        if not networks:
            del self._networks[account]
            del self._counts[account]
