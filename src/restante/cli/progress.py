"""How far something long is: a bar on standard error, where that is a terminal; nothing anywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int], None]


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Advance]:
    """Show a bar while inside; call what is given with how many more are done. No total: it only counts."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich import progress as bars  # noqa: PLC0415  a tenth of a second that only a terminal needs
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
    """Where nobody looks."""
