"""The processes that hash for strangers: asked, ended, started again, and behind others."""

import gc
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from restante.admin.stranger_passwords import (
    BUSY_SECONDS,
    PasswordProcess,
    PasswordsUnchecked,
    StrangerPasswords,
)
from restante.tenancy.passwords import hash_generated_password, hash_password

SLEEP = "import time; time.sleep(60)"
HASHES = (hash_generated_password("right"), hash_password("also right"))


def test_it_answers_one_question_after_the_other() -> None:
    passwords = StrangerPasswords()
    assert passwords.any_matches(HASHES, "right")
    assert passwords.any_matches(HASHES, "also right")
    assert not passwords.any_matches(HASHES, "wrong\n")
    assert not passwords.any_matches((), "right")
    assert passwords.any_matches((hash_generated_password("süß\n\0"),), "süß\n\0")


def test_it_works_only_while_nobody_else_needs_the_processor() -> None:
    passwords = StrangerPasswords(first_patience=60.0)
    passwords.any_matches(HASHES, "right")
    [process] = children()
    assert os.sched_getscheduler(process) == os.SCHED_IDLE


def test_on_a_busy_machine_a_second_one_is_only_behind_mail() -> None:
    now = [0.0]
    passwords = StrangerPasswords(first_patience=0.0, monotonic=lambda: now[0])
    assert passwords.any_matches(HASHES, "right")
    [process] = the_only_child()  # the first one did not answer in time, and was killed
    assert os.sched_getscheduler(process) == os.SCHED_BATCH
    assert os.getpriority(os.PRIO_PROCESS, process) == 10
    now[0] = BUSY_SECONDS
    assert not passwords.any_matches(HASHES, "wrong")  # the first one is asked again
    assert the_only_child() == [process]


def test_nobody_waits_for_the_end_of_one_that_was_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind all others, a killed process needs seconds to end."""
    slow, before = PasswordProcess((sys.executable, "-c", SLEEP), patience=0.1), {*started()}
    with monkeypatch.context() as patched:
        patched.setattr(subprocess.Popen, "wait", lambda *_, **__: pytest.fail("it waits"))
        with pytest.raises(PasswordsUnchecked):
            slow.any_matches(HASHES, "right")
    [killed] = {*started()} - before
    del slow
    gc.collect()
    assert killed not in started()  # it is not left as a zombie


def test_one_that_has_ended_is_started_again() -> None:
    passwords = StrangerPasswords()
    assert passwords.any_matches(HASHES, "right")
    [before] = children()
    os.kill(before, signal.SIGKILL)
    assert passwords.any_matches(HASHES, "right")
    [after] = children()
    assert after != before


def test_it_ends_with_the_part_that_asks() -> None:
    passwords = StrangerPasswords()
    passwords.any_matches(HASHES, "right")
    assert len(children()) == 1
    del passwords
    gc.collect()
    assert children() == []


@pytest.mark.parametrize(
    "command",
    [
        ("/nowhere/python",),
        (sys.executable, "-c", "pass"),
        (sys.executable, "-c", "print('what')"),
        (sys.executable, "-c", SLEEP),
    ],
)
def test_without_an_answer_nothing_is_right(command: tuple[str, ...]) -> None:
    passwords = PasswordProcess(command, patience=0.5)
    for _ in range(2):
        with pytest.raises(PasswordsUnchecked):
            passwords.any_matches(HASHES, "right")


def the_only_child() -> list[int]:
    """Wait until one is left, and return it: a killed one takes a moment to end."""
    while len(found := children()) > 1:
        time.sleep(0.01)
    return found


def children() -> list[int]:
    """Return the processes that this one has started, without those of the test runner."""
    return [one for one in started() if b"password_process" in command_of(one)]


def started() -> list[int]:
    found: list[int] = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has ended
            found += [int(one) for one in (thread / "children").read_text("ascii").split()]
    return found


def command_of(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()
