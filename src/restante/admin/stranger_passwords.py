"""Checks the passwords of strangers in processes of their own.

A thread would have the lowest priority too, but it would share the interpreter's lock and the
address space with mail. While other programs keep the processors busy, it waits for one with the
lock in its hands, and mail waits for the lock. Each hash maps and unmaps 64 MiB, for which the
kernel stops the threads of that process.

A process is started at the first check, and ends by itself when nobody needs it any more. The first
one works only while nobody else needs the processor. If that takes too long, a second one does the
work for a minute, whose place is only behind mail.
"""

import json
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from subprocess import DEVNULL, PIPE
from typing import Final

from restante.admin import password_process

PATIENCE: Final = 30.0  # seconds for an answer, on a busy machine
FIRST_PATIENCE: Final = 3.0  # for one of the process behind all others
BUSY_SECONDS: Final = 60.0  # that the machine counts as busy after an answer that was not in time


class PasswordsUnchecked(Exception):  # noqa: N818
    """The process cannot be started, or does not answer."""


class StrangerPasswords:
    """Asks the two processes. Blocks: belongs to one thread."""

    def __init__(
        self,
        first_patience: float = FIRST_PATIENCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._behind_all = PasswordProcess(
            process_command(password_process.BEHIND_ALL), first_patience
        )
        self._behind_mail = PasswordProcess(process_command(password_process.BEHIND_MAIL))
        self._monotonic = monotonic
        self._busy_until = monotonic()

    def any_matches(self, hashes: Sequence[str], password: str) -> bool:
        """Tell whether a password matches one of the hashes. Raises PasswordsUnchecked."""
        if self._monotonic() >= self._busy_until:
            with suppress(PasswordsUnchecked):
                return self._behind_all.any_matches(hashes, password)
            self._busy_until = self._monotonic() + BUSY_SECONDS
        return self._behind_mail.any_matches(hashes, password)


def process_command(place: str) -> tuple[str, ...]:
    """Return the command line of a process with this place behind others."""
    return (sys.executable, "-P", "-m", password_process.__name__, place)


class PasswordProcess:
    """Asks one process, and starts it if needed."""

    def __init__(self, command: Sequence[str], patience: float = PATIENCE) -> None:
        self._patience = patience
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._end: Callable[[], object] = _nothing

    def any_matches(self, hashes: Sequence[str], password: str) -> bool:
        """Tell whether a password matches one of the hashes. Raises PasswordsUnchecked."""
        question = json.dumps({"hashes": list(hashes), "password": password}).encode() + b"\n"
        is_new = self._process is None
        answer = self._asked(question)
        if not answer and not is_new:  # it had ended, as nobody needed it
            answer = self._asked(question)
        if answer not in (password_process.YES, password_process.NO):
            self._drop()
            raise PasswordsUnchecked
        return answer == password_process.YES

    def _asked(self, question: bytes) -> bytes:
        """Return the answer; empty if the process has ended. Raises PasswordsUnchecked."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        with suppress(OSError):
            process.stdin.write(question)
            if not select.select([process.stdout], [], [], self._patience)[0]:
                self._drop()
                raise PasswordsUnchecked
            answer = process.stdout.readline()
        if not answer:
            self._drop()
        return answer

    def _start(self) -> "subprocess.Popen[bytes]":
        self._end()  # one that was dropped is waited for only now
        try:
            process = subprocess.Popen(  # noqa: S603  our own program
                self._command, bufsize=0, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
        except OSError as error:
            raise PasswordsUnchecked from error
        self._process = process
        self._end = weakref.finalize(self, _end, process)  # also when the interpreter ends
        return process

    def _drop(self) -> None:
        """Kill the process, and do not wait: behind all others, its end takes seconds too."""
        if self._process is not None:
            self._process.kill()
            self._process = None


def _nothing() -> None:
    """Do nothing: no process runs."""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process, and forget it."""
    process.kill()
    with process:
        pass
