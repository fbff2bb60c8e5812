"""A daemon and all its children, which live and end together.

Everything started here is the leader of a session and process group of its own, so it is stopped by that number and
never by name. Three things make sure that nothing is left behind: `stop()` returns only when the group is empty, it
runs at the interpreter's exit if nobody called it, and where the interpreter is killed, the kernel ends the leader.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.programs import PLACES, require

if TYPE_CHECKING:
    from collections.abc import Sequence


class ProcessGroup:
    """One daemon in the foreground, with what it forks; its output goes to the end of `log`."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._leader: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str | Path]) -> None:
        """Start `command`, which must stay in the foreground."""
        guard = [require("setpriv"), "--pdeathsig", "TERM", "--"]
        with self._log.open("ab") as log:
            self._leader = subprocess.Popen(
                [*guard, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": PLACES, "LC_ALL": "C"},
            )
        atexit.register(self.stop)

    @property
    def is_running(self) -> bool:
        """Whether the daemon itself is still there."""
        return self._leader is not None and self._leader.poll() is None

    def stop(self, *, timeout: float = 5.0) -> None:
        """End the daemon and its children, gently at first, and return when none is left."""
        leader, self._leader = self._leader, None
        if leader is None:
            return
        atexit.unregister(self.stop)
        try:
            end_group(leader.pid, signal.SIGTERM, timeout)
        except AssertionError:
            end_group(leader.pid, signal.SIGKILL, timeout)
        finally:
            leader.wait(timeout)

    def kill(self) -> None:
        """End the daemon and its children as a power cut would."""
        leader, self._leader = self._leader, None
        if leader is not None:
            atexit.unregister(self.stop)
            end_group(leader.pid, signal.SIGKILL, 5.0)
            leader.wait()


def end_group(group: int, how: signal.Signals, timeout: float) -> None:
    """Send `how` to the whole group and wait until it is empty."""
    if members(group):
        os.killpg(group, how)
    eventually(lambda: not members(group), what=f"process group {group} to end", timeout=timeout)


def members(group: int) -> list[int]:
    """Return the processes of a group that still run. Zombies do not: in a container there may be no one to reap them."""
    return [pid for pid, state, its_group in processes() if its_group == group and state != "Z"]


def processes() -> list[tuple[int, str, int]]:
    """Return every process as (pid, state, process group); see proc(5), /proc/pid/stat."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        found.append((int(stat.parent.name), after_name[0], int(after_name[2])))
    return found
