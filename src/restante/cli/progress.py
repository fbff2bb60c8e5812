"""Show the progress of a long task: a bar on standard error if that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SLOW_SECONDS: Final = 1.0  # from which people want to know that something happens
_IS_SHOWN: ContextVar[bool] = ContextVar("_IS_SHOWN", default=False)  # one display at a time

Advance = Callable[[int], None]
Show = Callable[[str, int, int], None]
"""Told the phase, how much is done, and how much there is."""


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Show a bar. Call the given function with the number of items done since the last call.

    Without a total the bar only counts.
    """
    if not sys.stderr.isatty():
        yield _unseen
        return
    with _bar(what, total) as (shown, task):
        yield lambda count: shown.advance(task, count)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show the seconds that pass while one answer is awaited."""
    if not sys.stderr.isatty():
        yield
        return
    with _alone(), _spinner(what):
        yield


@contextmanager
def late(what: str) -> Iterator[None]:
    """Show the same for an answer that has not come within a second.

    Nothing is shown if another display of this command is.
    """
    if _IS_SHOWN.get() or not sys.stderr.isatty():
        yield
        return
    from threading import Lock, Timer  # noqa: PLC0415

    lock, stack, ended = Lock(), ExitStack(), list[bool]()

    def show() -> None:
        with lock:
            if not ended:
                stack.enter_context(_spinner(what))

    timer = Timer(SLOW_SECONDS, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            ended.append(True)
        timer.cancel()
        stack.close()


@contextmanager
def _alone() -> Iterator[None]:
    """Keep other displays away: they would write over this one."""
    token = _IS_SHOWN.set(True)
    try:
        yield
    finally:
        _IS_SHOWN.reset(token)


@contextmanager
def _spinner(what: str) -> Iterator[None]:
    from rich import progress as bars  # noqa: PLC0415  heavy
    from rich.console import Console  # noqa: PLC0415

    columns = (
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}"),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        shown.add_task(what, total=None)
        yield


@contextmanager
def phases(what: str, items: str) -> Iterator[Show]:
    """Show a bar of a task with phases, its rate in `items` a second, and the time left."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich import progress as bars  # noqa: PLC0415  heavy
    from rich.text import Text  # noqa: PLC0415

    class RateColumn(bars.ProgressColumn):
        def render(self, task: "bars.Task") -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.0f} {items}/s" if speed else "")

    with _bar(what, None, RateColumn()) as (shown, task):

        def show(phase: str, done: int, of: int) -> None:
            shown.update(task, description=f"{what}: {phase}", completed=done, total=of)

        yield show


@contextmanager
def _bar(what: str, total: int | None, *more: Any) -> Iterator[tuple["Progress", "TaskID"]]:
    from rich import progress as bars  # noqa: PLC0415  heavy
    from rich.console import Console  # noqa: PLC0415

    has_total = total is not None or more
    amount = bars.MofNCompleteColumn() if has_total else bars.TextColumn("{task.completed}")
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        amount,
        *more,
        bars.TimeRemainingColumn(),
    )
    made = bars.Progress(*columns, console=Console(stderr=True), transient=True)
    with _alone(), made as shown:
        yield shown, shown.add_task(what, total=total)


def _unseen(*_progress: object) -> None:
    """Ignore progress, as nobody sees it."""
