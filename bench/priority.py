"""The place of a process in the line for the processors.

Where the kernel groups processes by session (sched(7), autogroup), niceness counts within a session
alone. So the last in the line are a session of their own.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_LAST: Final = 19


def put_first(*processes: int) -> None:
    """Let processes run whenever they want, so that other work of the machine disturbs less.

    It holds for all their threads, and those that they start. So it is for processes that leave
    most of the time to others.
    """
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            os.sched_setscheduler(int(thread.name), os.SCHED_RR, os.sched_param(1))


def be_last() -> None:
    """Run this process in a session of its own, when nobody else wants a processor."""
    os.setsid()
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with suppress(FileNotFoundError):  # the kernel has no such groups
        Path("/proc/self/autogroup").write_text(str(_LAST), encoding="ascii")
