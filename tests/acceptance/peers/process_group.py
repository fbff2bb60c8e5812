"""A daemon and all its children, which live and end together.

Each program started here leads a session and process group of its own, so it is stopped by that
number, never by name. Three rules make sure that nothing is left behind. `stop()` returns only when
the group is empty. It runs at the interpreter's exit if nobody called it. A watcher ends the group
if the interpreter is killed.

wait(2) tells whether a group is empty. As the "subreaper" (prctl(2)) we become the parent of every
child that a daemon leaves behind. A look into /proc would miss a process that is forked while we
read the list. The kernel's PR_SET_PDEATHSIG cannot replace the watcher: a daemon that changes its
user loses it.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from tests.acceptance.peers.eventually import PATIENCE, eventually
from tests.acceptance.peers.programs import PLACES

PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h
GENTLE: Final = 5.0  # seconds until SIGKILL


class Leader(Protocol):
    """The process of a daemon: a `subprocess.Popen`, or one like it."""

    @property
    def pid(self) -> int:
        """Its process id, which is that of its group."""

    @property
    def returncode(self) -> int | None:
        """Its exit code, as far as it is known."""

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""

    def wait(self, timeout: float = ...) -> int:
        """Wait for its end, and return its exit code."""

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal, unless it has ended."""


class ProcessGroup:
    """One daemon in the foreground, with its children; their output goes to the end of `log`."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._leader: Leader | None = None
        self._watcher: subprocess.Popen[bytes] | None = None

    def start(self, command: Sequence[str | Path], *, user: str | None = None) -> None:
        """Start `command`, which must stay in the foreground, as `user` if given (needs root)."""
        adopt_orphans()
        with self._log.open("ab") as log:
            leader = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": PLACES, "LC_ALL": "C"},
                user=user,
                group=pwd.getpwnam(user).pw_gid if user else None,
                extra_groups=[] if user else None,
            )
        self._follow(leader)

    def _follow(self, leader: Leader) -> None:
        """Make sure that a daemon ends with us."""
        self._leader = leader
        self._watcher = _watch(leader.pid)
        atexit.register(self.stop)

    @property
    def is_running(self) -> bool:
        """Whether the daemon itself is still there."""
        return self._leader is not None and self._leader.poll() is None

    def stop(self) -> None:
        """End the daemon and its children, gently at first, and return when none is left."""
        leader, self._leader = self._leader, None
        if leader is None:
            return
        atexit.unregister(self.stop)
        try:
            _end(leader.pid, signal.SIGTERM, GENTLE)
        except (
            AssertionError
        ):  # Postfix's master may hang in its last line to a log daemon that ended before it
            _end(leader.pid, signal.SIGKILL, PATIENCE)
        leader.wait()
        self._dismiss_watcher()

    def _dismiss_watcher(self) -> None:
        if self._watcher:
            self._watcher.kill()
            self._watcher.communicate()


def _watch(group: int) -> subprocess.Popen[bytes]:
    """Start a shell that reads from a pipe only we hold open: when we exit, it ends the group."""
    return subprocess.Popen(
        [
            "/bin/sh",
            "-c",
            'read -r _; kill -TERM "-$1"; sleep 2; kill -KILL "-$1"',
            "watcher",
            str(group),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C is for us
        cwd="/",
    )


def _end(group: int, how: signal.Signals, patience: float) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(group, how)
    eventually(lambda: _has_ended(group), what=f"process group {group} to end", timeout=patience)


def _has_ended(group: int) -> bool:
    """Reap what has ended of a group, and say whether it was the last."""
    try:
        while os.waitpid(-group, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return True
    return False


def adopt_orphans() -> None:
    """Become the parent of processes whose parent ends."""
    done = ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    assert done == 0, "prctl(PR_SET_CHILD_SUBREAPER)"
