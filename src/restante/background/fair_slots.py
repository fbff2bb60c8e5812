"""Slots that are given out fairly: limited in all and per account; the fewest come first.

An account with ten thousand domains whose server is down asks for all of them at once. Its attempts
hold slots for as long as a connection takes to fail, one after another. Mail of another account
must not wait behind them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class FairSlots:
    """The limits are read each time: they may be changed."""

    def __init__(self, limit: Callable[[], int], account_limit: Callable[[], int]) -> None:
        self._limit = limit
        self._account_limit = account_limit
        self._taken: Counter[str] = Counter()  # by account
        self._waiting: dict[
            str, deque[asyncio.Future[None]]
        ] = {}  # by account, in the order they came

    @asynccontextmanager
    async def slot(self, account: str) -> AsyncIterator[None]:
        """Hold a slot for the time of the block."""
        await self._await_slot(account)
        try:
            yield
        finally:
            self._give_back(account)

    def limits_changed(self) -> None:
        """Begin at once as many as a higher limit allows."""
        self._hand_out()

    async def _await_slot(self, account: str) -> None:
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append(place)
        self._hand_out()
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it had its slot already
                self._give_back(account)
            else:
                self._leave(account, place)
            raise

    def _leave(self, account: str, place: asyncio.Future[None]) -> None:
        if account in self._waiting and place in self._waiting[account]:
            self._waiting[account].remove(place)
            self._forget_if_empty(account)

    def _give_back(self, account: str) -> None:
        self._taken[account] -= 1
        if not self._taken[account]:
            del self._taken[account]
        self._hand_out()

    def _hand_out(self) -> None:
        while self._taken.total() < self._limit() and (account := self._next()) is not None:
            waiting = self._waiting.pop(account)
            place = waiting.popleft()
            if waiting:
                self._waiting[account] = waiting  # behind those with as few slots: they are next
            if not place.done():
                self._taken[account] += 1
                place.set_result(None)

    def _next(self) -> str | None:
        """Return the account with the fewest slots of those that may have one more.

        Among accounts with equally few, the one that has waited longest since its last slot comes
        first.
        """
        limit = self._account_limit()
        entitled = (account for account in self._waiting if self._taken[account] < limit)
        return min(entitled, key=self._taken.__getitem__, default=None)

    def _forget_if_empty(self, account: str) -> None:
        if not self._waiting[account]:
            del self._waiting[account]
