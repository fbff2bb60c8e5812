"""An event loop without time and sockets: its clock jumps to the next timer.

Its peers are simulated. Work for threads is done at once, on the loop, and its result comes a
moment later. Sets of tasks and futures are walked in the order of their making, because Python's
own order depends on addresses in memory.
"""

import asyncio
import contextvars
import itertools
import selectors
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from tests.simulation.network import Network

EPOCH = 1_760_000_000.0  # Unix time at which every simulation begins
_THREAD_SECONDS = 0.02  # at most, for work of a thread

T = TypeVar("T")


class Stuck(AssertionError):  # noqa: N818
    """Nothing is left that could ever happen, and the simulation has not ended."""


class _Clockwork(selectors.SelectSelector):
    """Instead of waiting, it moves the clock. No socket is ever ready."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stuck("nothing is left to happen")
        self.now += timeout
        return []


class _Serial:
    """Hashes by order of making."""

    _numbers = itertools.count()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._serial = next(_Serial._numbers)
        super().__init__(*args, **kwargs)

    def __hash__(self) -> int:
        return self._serial

    def __eq__(self, other: object) -> bool:
        return self is other


class _OrderedTask(_Serial, asyncio.Task[Any]):
    pass


class _OrderedFuture(_Serial, asyncio.Future[Any]):
    pass


def _make_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any],
    context: contextvars.Context | None = None,
) -> _OrderedTask:
    return _OrderedTask(coroutine, loop=loop, context=context)


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop. `network` has the peers; `signals` the handlers that the server has set."""

    def __init__(self, dice: Random) -> None:
        self._clockwork = _Clockwork()
        super().__init__(self._clockwork)
        self.dice = dice
        self.network: Network | None = None
        self.signals: dict[int, Callable[[], None]] = {}
        self.set_task_factory(cast(Any, _make_task))

    def time(self) -> float:
        return self._clockwork.now

    def create_future(self) -> asyncio.Future[Any]:
        return _OrderedFuture(loop=self)

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., T], *args: Any
    ) -> Any:
        """Do the work now; the answer comes soon."""
        future = self.create_future()
        answer = do(func, *args)
        self.call_later(self.dice.uniform(0.0, _THREAD_SECONDS), _pass_on, answer, future)
        return future

    def add_signal_handler(  # type: ignore[override]
        self, sig: int, callback: Callable[..., Any], *args: Any
    ) -> None:
        self.signals[sig] = lambda: callback(*args)

    async def create_connection(  # type: ignore[override]
        self, factory: Any, host: Any = None, port: Any = None, **_: Any
    ) -> Any:
        assert self.network is not None
        return await self.network.connect(factory, str(host), int(port))

    async def create_server(  # type: ignore[override]
        self, factory: Any, *args: Any, sock: Any = None, **_: Any
    ) -> Any:
        assert self.network is not None
        return self.network.listen(factory, *sock.getsockname())


def do(func: Callable[..., T], *args: Any) -> "Future[T]":
    """Do the work of a thread now."""
    answer: Future[T] = Future()
    try:
        answer.set_result(func(*args))
    except Exception as error:  # noqa: BLE001  raised again where it is awaited
        answer.set_exception(error)
    return answer


def _pass_on(answer: "Future[Any]", future: "asyncio.Future[Any]") -> None:
    if future.cancelled():
        return
    if (error := answer.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(answer.result())


class InlineExecutor(Executor):
    """In place of threads: work is done when it is submitted."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        return do(lambda: fn(*args, **kwargs))


class BoundSocket:
    """Looks like a bound socket to a listener."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.family = socket.AF_INET

    def getsockname(self) -> tuple[str, int]:
        return self._address

    def listen(self, _backlog: int) -> None:
        pass

    def shutdown(self, _how: int) -> None:
        pass

    def dup(self) -> "BoundSocket":
        return BoundSocket(self._address)

    def close(self) -> None:
        pass
