"""Run commands of `restante` without the start of an interpreter for each.

`python -P forked_command.py SOCKET PROGRAM` loads the program once, and forks for each command.
So a command is a process of its own, with the code of the program, its own streams and exit code.
Most commands of a test are preparations, and most of their time was the start. A server is forked
likewise. It leads a session of its own, and becomes a child of the process of tests.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

CODE_OCTETS: Final = 4
STREAMS: Final = 3
PATIENCE: Final = 90.0  # seconds
MAX_COMMAND: Final = 200_000  # octets
OTHERS: Final = [
    *("restante.config.load", "restante.store.sqlite.sqlite_store", "restante.web.control_socket"),
    *("restante.web.api.api_application", "httpcore", "anyio._backends._asyncio"),
    *("restante.server.server_start", "restante.config.config_check"),
]
READY: Final = b"ready\n"

# The process that forks


def _main(place: str, program: str) -> int:
    _load()
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen(128)
        os.write(1, READY)
        words = _await_command(listener)
    sys.argv = [program, *words]
    from restante.cli import main  # noqa: PLC0415  in a process that has it already

    return main()


def _load() -> None:
    """Import most of the modules that a command imports when it needs them.

    Make what a process makes once, the routes of the API and the templates of pages.
    """
    package = import_module("restante.cli")
    commands = [one.name for one in pkgutil.iter_modules(package.__path__, "restante.cli.")]
    for name in [*commands, *OTHERS]:
        import_module(name)
    api = import_module("restante.web.api.api_application")
    api._make_routes(api.build_api(None))
    import_module("restante.web.portal.page_renderer").page_templates()


def _await_command(listener: socket.socket) -> list[str]:
    """Fork for each command, and return its words in its process. Ends with standard input."""
    while True:
        if sys.stdin in select.select([listener, sys.stdin], [], [])[0]:
            sys.exit()
        with suppress(ChildProcessError):  # there is none
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        connection, _ = listener.accept()
        with connection:
            if os.fork() == 0:
                listener.close()
                return _become_command(connection)


def _become_command(connection: socket.socket) -> list[str]:
    asked, streams, _, _ = socket.recv_fds(connection, MAX_COMMAND, STREAMS)
    is_server, words = json.loads(asked)
    command = os.fork()
    if command and is_server:
        connection.sendall(command.to_bytes(CODE_OCTETS, "big"))
        os._exit(0)  # which makes it an orphan
    if command:
        for number in [*range(STREAMS), *streams]:
            os.close(number)
        _report(connection, command)
    if is_server:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    return list(words)


def _report(connection: socket.socket, command: int) -> None:
    """Send the exit code of a command. It is killed once nobody waits for it."""
    ended = os.pidfd_open(command)
    readable, _, _ = select.select([ended, connection.fileno()], [], [])
    if connection.fileno() in readable:
        os.kill(command, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    with suppress(OSError):
        connection.sendall(code.to_bytes(CODE_OCTETS, "big", signed=True))
    os._exit(0)


# The tests


def run_forked(
    program: Path, words: Sequence[str], typed: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a command like `subprocess.run`, with `typed` as its input. Raises TimeoutError."""
    pipes = [os.pipe() for _ in range(STREAMS)]
    of_command = [pipes[0][0], pipes[1][1], pipes[2][1]]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(_place(program, os.getpid()))
        socket.send_fds(connection, [json.dumps((False, words)).encode()], of_command)
        for number in of_command:
            os.close(number)
        with (
            ThreadPoolExecutor(STREAMS) as pool,
            os.fdopen(pipes[1][0], encoding="utf-8") as output,
            os.fdopen(pipes[2][0], encoding="utf-8") as complaints,
        ):
            pool.submit(_type, pipes[0][1], typed)
            said, complained = pool.submit(output.read), pool.submit(complaints.read)
            try:
                code = connection.recv(CODE_OCTETS)
            finally:
                connection.close()  # which ends the command
            assert code, "the process that forks has gone"
            ended = int.from_bytes(code, "big", signed=True)
            return subprocess.CompletedProcess(
                [str(program), *words], ended, said.result(), complained.result()
            )


class ForkedServer:
    """A server that was forked: the part of `subprocess.Popen` that a process group needs.

    This process must be a subreaper (prctl(2)), so that the server becomes its child.
    """

    def __init__(self, program: Path, words: Sequence[str], log: int) -> None:
        """Begin it. Its output goes to the open file `log`."""
        from tests.acceptance.peers.eventually import eventually  # noqa: PLC0415  as below

        self.returncode: int | None = None
        with (
            socket.socket(socket.AF_UNIX) as connection,
            Path(os.devnull).open("rb") as nothing,
        ):
            connection.settimeout(PATIENCE)
            connection.connect(_place(program, os.getpid()))
            asked = [json.dumps((True, words)).encode()]
            socket.send_fds(connection, asked, [nothing.fileno(), log, log])
            self.pid = int.from_bytes(connection.recv(CODE_OCTETS), "big")
        assert self.pid, "the process that forks has gone"
        eventually(self._is_ours, what="the server to be our child", timeout=PATIENCE)

    def _is_ours(self) -> bool:
        try:
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def poll(self) -> int | None:
        """Return its exit code, None while it runs."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # its group was reaped
                self.returncode = 0
            else:
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end, and return its exit code."""
        from tests.acceptance.peers.eventually import eventually  # noqa: PLC0415  as below

        eventually(lambda: self.poll() is not None, what="the server to end", timeout=timeout)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)


def _type(place: int, text: str) -> None:
    with suppress(BrokenPipeError), os.fdopen(place, "w", encoding="utf-8") as stream:
        stream.write(text)


@cache
def _place(program: Path, of_process: int) -> str:
    """Start the process that forks, for the process of tests. Returns the path of its socket."""
    from tests.acceptance.peers.programs import PLACES  # noqa: PLC0415  it needs pytest

    directory = Path(mkdtemp(prefix="restante-"))
    place = str(directory / "fork")
    forking = subprocess.Popen(
        [sys.executable, "-P", __file__, place, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        env={"PATH": PLACES, "LC_ALL": "C.UTF-8"},
    )
    assert forking.stdin
    assert forking.stdout
    assert forking.stdout.readline() == READY, "the process that forks did not start"

    def end() -> None:
        if os.getpid() == of_process:  # not in a process that was forked from it
            forking.terminate()  # such a process may keep the input open
            forking.wait()
            rmtree(directory, ignore_errors=True)

    atexit.register(end)
    return place


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
