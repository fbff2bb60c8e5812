"""Show the progress of a long task: a bar on standard error if that is a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Show a bar. Call the given function with the number of items done since the last call.

    Without a total the bar only counts.
    """
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich import progress as bars  # noqa: PLC0415  heavy
    from rich.console import Console  # noqa: PLC0415

    amount = bars.MofNCompleteColumn() if total is not None else bars.TextColumn("{task.completed}")
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        amount,
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda count: shown.advance(task, count)


def _unseen(_count: int) -> None:
    """Ignore progress, as nobody sees it."""
