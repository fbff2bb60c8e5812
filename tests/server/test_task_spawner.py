"""A defect ends its own task only, and is logged; so are those of callbacks."""

import asyncio
import errno
from typing import Any

import pytest

from restante.server.task_spawner import CallbackDefects, TaskSpawner
from restante.telemetry.events import InternalError
from tests.log_lines import Lines


def lines() -> Lines:
    return Lines(takes_defects=True)


def test_a_defect_ends_its_task_and_no_other() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    async def last(event: asyncio.Event) -> None:
        await event.wait()
        ended.append("the other")

    ended: list[str] = []
    log = lines()

    async def story() -> None:
        async with asyncio.TaskGroup() as tasks:
            spawner, event = TaskSpawner(tasks, log), asyncio.Event()
            spawner.spawn(last(event))
            await spawner.spawn(fail())
            event.set()

    asyncio.run(story())
    assert ended == ["the other"]
    assert [type(line["error"]) for line in log.of(InternalError)] == [ZeroDivisionError]


def test_a_cancelled_task_is_no_defect() -> None:
    log = lines()

    async def story() -> None:
        async with asyncio.TaskGroup() as tasks:
            task = TaskSpawner(tasks, log).spawn(asyncio.sleep(3600))
            await asyncio.sleep(0)
            task.cancel()

    asyncio.run(story())
    assert log.lines == []


def handled(*contexts: dict[str, Any]) -> tuple[Lines, list[bool]]:
    """Return the log, and the answers to two questions about failed accepts."""
    log = lines()
    defects = CallbackDefects(log)
    loop = asyncio.new_event_loop()
    for context in contexts:
        defects.handle(loop, context)
    loop.close()
    return log, [defects.take_accept_failed(), defects.take_accept_failed()]


@pytest.mark.parametrize(
    ("context", "error"),
    [
        ({"message": "in a callback", "exception": ValueError("boom")}, "ValueError('boom')"),
        ({"message": "in a callback"}, "RuntimeError('in a callback')"),
        (
            {"message": "socket.accept() failed", "exception": OSError(errno.ENOBUFS, "no room")},
            "OSError(105, 'no room')",
        ),
        (
            {"message": "in a callback", "exception": OSError(errno.EMFILE, "too many")},
            "OSError(24, 'too many')",
        ),
    ],
    ids=["exception", "message alone", "accept for another reason", "no descriptor elsewhere"],
)
def test_a_defect_of_a_callback_is_logged(context: dict[str, Any], error: str) -> None:
    log, accept_failed = handled(context)
    [line] = log.of(InternalError)
    assert (repr(line["error"]), line["doing"]) == (error, "callback")
    assert accept_failed == [False, False]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_an_accept_without_a_free_descriptor_is_noted_until_it_is_asked_about(number: int) -> None:
    failed = {"message": "socket.accept() out of system resource", "exception": OSError(number, "")}
    log, accept_failed = handled(failed, failed)
    assert log.lines == []
    assert accept_failed == [True, False]


def test_a_task_that_never_begins_is_put_away_whole() -> None:
    async def work() -> None:
        """Nothing: it is never begun."""

    async def story() -> None:
        works = [work(), work()]
        async with asyncio.TaskGroup() as tasks:
            spawner = TaskSpawner(tasks, lines())
            spawner.spawn(works[0]).cancel()
        with pytest.raises(RuntimeError):
            spawner.spawn(works[1])
        for one in works:
            with pytest.raises(RuntimeError, match="cannot reuse"):  # it is closed
                await one

    asyncio.run(story())
