"""A forked command is like one that was started: its streams, its exit code, its end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.forked_command import run_forked
from tests.acceptance.installation import CHECKOUT, RESTANTE, Installation


@pytest.mark.parametrize("words", [["--version"], ["login", "add"], ["etrn", "--help"]], ids=str)
def test_it_ends_and_prints_as_if_it_had_been_started(words: list[str]) -> None:
    started = subprocess.run(
        [RESTANTE, *words], check=False, capture_output=True, encoding="utf-8", cwd="/", env={}
    )
    forked = run_forked(RESTANTE, words, "", timeout=90)
    assert forked.returncode == started.returncode
    assert (forked.stdout, forked.stderr) == (started.stdout, started.stderr)


def test_it_reads_its_input_to_the_end() -> None:
    words = ["etrn", "127.0.0.1:9", "a.example", "--login", "a", "--password-file", "-"]
    assert "first line is empty" in run_forked(RESTANTE, words, "\n", timeout=90).stderr
    assert "127.0.0.1:9" in run_forked(RESTANTE, words, "password\n", timeout=90).stderr


def test_it_is_killed_when_its_time_is_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = ["etrn", f"127.0.0.1:{silent.getsockname()[1]}", "a.example", "--login", "a"]
        with pytest.raises(TimeoutError):
            run_forked(RESTANTE, [*words, "--password-file", "-"], "password\n", timeout=2.0)
        connection, _ = silent.accept()
        with connection:
            connection.settimeout(90)
            assert connection.recv(10_000)  # the beginning of TLS
            with_end = connection.recv(10_000)
            assert with_end == b""


FORKS_A_PROCESS = """
import os, sys
from pathlib import Path
from tests.acceptance.forked_command import run_forked
run_forked(Path(sys.argv[1]), ["--version"], "", timeout=90)
if not os.fork():
    os.read(0, 1)  # longer than its parent
    os._exit(0)
"""


def test_the_process_that_forks_ends_although_another_has_its_input() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FORKS_A_PROCESS, RESTANTE], stdin=subprocess.PIPE, cwd=CHECKOUT
    ) as outliving:
        assert outliving.wait(90) == 0


def test_a_forked_server_is_a_child_that_leads_a_session() -> None:
    with Installation() as restante:
        restante.start()
        pid = restante.pid
        assert os.getsid(pid) == os.getpgid(pid) == pid
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        assert int(parent) == os.getpid()
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
        restante.kill()
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("is_forked", [True, False])
def test_a_server_ends_with_the_same_code_however_it_was_started(*, is_forked: bool) -> None:
    with Installation() as restante:
        restante.is_forked = is_forked
        restante.start()
        assert restante._process.end_by(signal.SIGTERM) == 0
        restante.start()
        assert restante._process.end_by(signal.SIGKILL) == -signal.SIGKILL
        restante.config.write_text("hostname = 1\n")
        restante.begin()
        assert restante.wait_until_it_leaves() == 78
