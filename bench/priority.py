"""The place of a process in the line for the processors.

Where the kernel groups processes by session (sched(7), autogroup), niceness counts within a session
alone. So each function here sets the place of a whole session too.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_FIRST: Final = -15
_LAST: Final = 19


def put_first(*processes: int) -> None:
    """Put the sessions of processes first, so that other work of the machine disturbs less."""
    for process in processes:
        _place(process, _FIRST)


def be_last() -> None:
    """Run this process in a session of its own, when nobody else wants a processor."""
    os.setsid()
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    _place(os.getpid(), _LAST)


def _place(process: int, niceness: int) -> None:
    with suppress(FileNotFoundError):  # the kernel has no such groups
        Path(f"/proc/{process}/autogroup").write_text(str(niceness), encoding="ascii")
