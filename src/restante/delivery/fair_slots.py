"""Takes turns, fairly: so many at once in all, so many for each account, and the one with the fewest comes first.

An account with ten thousand domains whose server is away asks for them all at once. Its attempts then hold turns for as
long as a connection takes to fail, one after another; another account's mail must not stand behind them.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class FairSlots:
    """The limits are asked for each time: they may be changed."""

    def __init__(self, limit: Callable[[], int], account_limit: Callable[[], int]) -> None:
        self._limit = limit
        self._account_limit = account_limit
        self._taken: Counter[str] = Counter()  # by account
        self._waiting: dict[
            str, deque[asyncio.Future[None]]
        ] = {}  # by account, in the order they came

    @asynccontextmanager
    async def turn(self, account: str) -> AsyncIterator[None]:
        """Have a turn for the time of the block."""
        await self._await_turn(account)
        try:
            yield
        finally:
            self._give_back(account)

    def limits_changed(self) -> None:
        """Begin what a higher limit allows at once."""
        self._hand_out()

    async def _await_turn(self, account: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append(turn)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had come already
                self._give_back(account)
            else:
                self._leave(account, turn)
            raise

    def _leave(self, account: str, turn: asyncio.Future[None]) -> None:
        if account in self._waiting and turn in self._waiting[account]:
            self._waiting[account].remove(turn)
            self._forget_if_empty(account)

    def _give_back(self, account: str) -> None:
        self._taken[account] -= 1
        if not self._taken[account]:
            del self._taken[account]
        self._hand_out()

    def _hand_out(self) -> None:
        while self._taken.total() < self._limit() and (account := self._next()) is not None:
            waiting = self._waiting.pop(account)
            turn = waiting.popleft()
            if waiting:
                self._waiting[account] = waiting  # behind those with as few turns: they are next
            if not turn.done():
                self._taken[account] += 1
                turn.set_result(None)

    def _next(self) -> str | None:
        """Return the account with the fewest turns of those that may have one more.

        Among accounts with as few, the one whose last turn is longest ago comes first.
        """
        limit = self._account_limit()
        entitled = (account for account in self._waiting if self._taken[account] < limit)
        return min(entitled, key=self._taken.__getitem__, default=None)

    def _forget_if_empty(self, account: str) -> None:
        if not self._waiting[account]:
            del self._waiting[account]
