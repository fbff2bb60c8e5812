"""A process drops its privileges, in a process of its own, because there is no way back."""

import os
import pwd
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from restante.config import privileges
from restante.config.privileges import UserUnusable, _closed_directory, become

SHOW: Final = """
import ctypes, resource
from restante.config.privileges import keep_memory_private

resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)

for _ in range(2):
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[1])
    keep_memory_private()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[1])
"""  # 3 is PR_GET_DUMPABLE: 1 is a process that may be looked into, and dumped


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is of Linux")
def test_memory_is_neither_dumped_nor_shown() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SHOW], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    before, once, twice = (tuple(map(int, line.split())) for line in said.splitlines())
    assert before[0] == 1
    assert (once, twice) == ((0, 0), (0, 0))


def test_nobody_becomes_a_user_who_cannot_load_the_rest_of_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A command would end in a traceback at its next import."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(privileges, "_closed_directory", lambda *_: Path("/root"))
    with pytest.raises(UserUnusable, match="cannot enter /root, where the program is installed"):
        become(pwd.getpwuid(os.getuid()).pw_name)


BOUND: Final = """
import os, signal
from restante.config.privileges import end_with

parent = os.getpid()
if not os.fork():
    if not os.geteuid():
        os.setgid(65534)
        os.setuid(65534)
    end_with(parent, signal.SIGKILL)
    print("bound", flush=True)
signal.pause()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is of Linux")
def test_a_child_of_another_user_ends_with_its_parent() -> None:
    command = [sys.executable, "-c", BOUND]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "bound\n"
        parent.kill()
        ended, _, _ = select.select([parent.stdout], [], [], 60)
        assert ended, "the child is still there, and has the pipe open"
        assert parent.stdout.read() == ""


def test_a_child_whose_parent_has_ended_before_ends_at_once() -> None:
    code = "import signal; from restante.config.privileges import end_with; end_with(-1, 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGKILL


def test_a_directory_that_a_user_may_not_enter_is_found(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    program = closed / "bin/python"
    program.parent.mkdir(parents=True)
    program.touch()
    for directory in (closed, *tmp_path.parents, tmp_path, program.parent):
        directory.chmod(directory.stat().st_mode | 0o755)
    stranger, groups = 12345, {12345}
    assert _closed_directory(program, stranger, groups) is None
    closed.chmod(0o700)
    assert _closed_directory(program, stranger, groups) == closed
    assert _closed_directory(program, closed.stat().st_uid, set()) is None
    closed.chmod(0o710)
    assert _closed_directory(program, stranger, {closed.stat().st_gid}) is None
    link = tmp_path / "python"
    link.symlink_to(program)
    assert _closed_directory(link, stranger, groups) == closed
