"""Checks the passwords of strangers in a process of its own.

A thread would have the lowest priority too, but it would share the interpreter's lock and the
address space with mail. While other programs keep the processors busy, it waits for one with the
lock in its hands, and mail waits for the lock. Each hash maps and unmaps 64 MiB, for which the
kernel stops the threads of that process.

The process is started at the first check, and ends by itself when nobody needs it any more.
"""

import json
import select
import subprocess
import sys
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from subprocess import DEVNULL, PIPE
from typing import Final

from restante.admin import password_process

PATIENCE: Final = 30.0  # seconds for an answer, on a busy machine
_COMMAND: Final = (sys.executable, "-P", "-m", password_process.__name__)


class PasswordsUnchecked(Exception):  # noqa: N818
    """The process cannot be started, or does not answer."""


class StrangerPasswords:
    """Asks the process. Blocks: belongs to one thread."""

    def __init__(self, patience: float = PATIENCE, command: Sequence[str] = _COMMAND) -> None:
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
        """Return the answer; empty if there is none. The process is dropped then."""
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = b""
        with suppress(OSError):
            process.stdin.write(question)
            if select.select([process.stdout], [], [], self._patience)[0]:
                answer = process.stdout.readline()
        if not answer:
            self._drop()
        return answer

    def _start(self) -> "subprocess.Popen[bytes]":
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
        self._process = None
        self._end()


def _nothing() -> None:
    """Do nothing: no process runs."""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the process, and forget it."""
    process.kill()
    with process:
        pass
