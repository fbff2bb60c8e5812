import asyncio
import errno
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import uvloop

from restante.network.late_module import ProgramReplaced
from restante.server.garbage_collection import GarbageCollection
from restante.server.late_code import LateCode
from restante.server.late_control import RETRY_SECONDS, refusal, serve_late
from restante.server.program_files import ProgramFiles
from restante.telemetry.events import InternalError
from restante.web.api.problem_details import ProblemDetails
from restante.web.control_socket import open_control
from tests.log_lines import Lines
from tests.server.test_garbage_collection import Recorded

MODULE = "restante.web.control_service"

loops = pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
Loop = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose name is short enough for a Unix socket in it."""
    with TemporaryDirectory(prefix="rst") as name:
        yield Path(name)


class Program(ProgramFiles):
    """Loads nothing; was replaced or not."""

    def __init__(self, *, is_replaced: bool = False) -> None:
        super().__init__([])
        self.loads = list[str]()
        self._is_gone = is_replaced
        self.is_unreadable = False

    def load(self, module: str) -> None:
        """Note it."""
        self.loads.append(module)
        if self._is_gone:
            raise ProgramReplaced
        if self.is_unreadable:
            raise OSError(errno.EMFILE, "Too many open files", "api.py")


@dataclass
class Scene:
    """A control socket, and the events there."""

    path: Path
    program: Program = field(default_factory=Program)
    served: asyncio.Event = field(default_factory=asyncio.Event)
    log: Lines = field(default_factory=lambda: Lines(takes_defects=True))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[socket.socket]:
        listener = open_control(self.path)
        late = LateCode(GarbageCollection(Recorded()))
        late.begin(self.program)
        load = partial(late.load, MODULE)
        serving = serve_late(listener, load, self._serve, self.log, self._pause)
        task = asyncio.create_task(serving)
        yield listener
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def _pause(self, _event: asyncio.Event, seconds: float) -> None:
        assert seconds == RETRY_SECONDS
        self.program.is_unreadable = False

    async def _serve(self) -> None:
        self.served.set()
        await asyncio.get_running_loop().create_future()


@loops
def test_the_api_is_loaded_for_the_first_client(directory: Path, loop: Loop) -> None:
    async def story() -> None:
        scene = Scene(directory / "control.sock")
        async with scene.serving():
            for _ in range(50):
                await asyncio.sleep(0)
            assert scene.program.loads == []
            _, writer = await asyncio.open_unix_connection(str(scene.path))
            await scene.served.wait()
            assert scene.program.loads == [MODULE]
            writer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())


@loops
def test_it_closes_the_socket_although_nobody_asked(directory: Path, loop: Loop) -> None:
    async def story() -> None:
        async with Scene(directory / "control.sock").serving() as listener:
            await asyncio.sleep(0)
        assert listener.fileno() == -1

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())


@loops
def test_each_client_of_a_replaced_program_is_told_so(directory: Path, loop: Loop) -> None:
    async def story() -> None:
        scene = Scene(directory / "control.sock", Program(is_replaced=True))
        async with scene.serving():
            for _ in range(2):
                reader, writer = await asyncio.open_unix_connection(str(scene.path))
                writer.write(b"GET /v1/status HTTP/1.1\r\nHost: restante\r\n\r\n")
                assert await reader.read() == refusal()
                writer.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())


@loops
def test_a_client_waits_while_no_file_can_be_read(directory: Path, loop: Loop) -> None:
    async def story() -> None:
        scene = Scene(directory / "control.sock")
        scene.program.is_unreadable = True
        async with scene.serving():
            _, writer = await asyncio.open_unix_connection(str(scene.path))
            await scene.served.wait()
            assert scene.program.loads == [MODULE] * 2
            writer.close()
        [failure] = scene.log.of(InternalError)
        assert failure["doing"] == "request"
        assert "a file of the program cannot be read: api.py: Too many" in str(failure["error"])

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())


def test_the_refusal_has_the_form_of_every_problem() -> None:
    head, _, body = refusal().partition(b"\r\n\r\n")
    told = ProblemDetails.model_validate_json(body)
    assert (told.type, told.status) == ("urn:restante:problem:unavailable", 503)
    assert f"{told.detail}; {told.remedy}" == str(ProgramReplaced())
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert f"Content-Length: {len(body)}\r\n".encode() in head
    assert json.loads(body)["kind"] == "unavailable"
