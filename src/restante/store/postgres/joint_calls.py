"""Calls that come at the same moment, answered by one question or change of the database.

Many drains are taken over at once if a server dies. Each by itself would wait for the commit of the
one before it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, Generic, TypeVar

_Given = TypeVar("_Given")
_Answer = TypeVar("_Answer")
MOST: Final = 100  # calls together; more would lock their rows for long


class JointCalls(Generic[_Given, _Answer]):
    """Collects the calls of one pass of the event loop, and those that come during an answer."""

    def __init__(
        self,
        answer_all: Callable[[Sequence[_Given]], Awaitable[Sequence[_Answer]]],
        begin: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """`answer_all` answers several calls in their order; `begin` begins a task."""
        self._answer_all = answer_all
        self._begin = begin
        self._waiting: list[tuple[_Given, asyncio.Future[_Answer]]] = []
        self._is_answering = False

    async def call(self, given: _Given) -> _Answer:
        """Return the answer to one call. It is made even if its caller is cancelled meanwhile."""
        answered: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((given, answered))
        if not self._is_answering:
            self._is_answering = True
            self._begin(self._answer())
        return await answered

    async def _answer(self) -> None:
        try:
            while self._waiting:
                some, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._answer_some(some)
        finally:
            self._is_answering = False

    async def _answer_some(self, some: list[tuple[_Given, asyncio.Future[_Answer]]]) -> None:
        left = [answered for _, answered in some]
        try:
            answers = await self._answer_all([given for given, _ in some])
        except Exception as error:  # noqa: BLE001  it belongs to those who have called
            for answered in left:
                if not answered.done():
                    answered.set_exception(error)
        else:
            for answered, answer in zip(left, answers, strict=True):
                if not answered.done():
                    answered.set_result(answer)
