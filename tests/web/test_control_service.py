import asyncio
import contextlib
import signal
import stat
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from restante.admin.event_feed import MOST, EventFeed
from restante.tenancy.notice import NoticeFacts
from restante.web.control_service import serve_on
from restante.web.control_socket import ControlUnusable, open_control, removed_at_end
from restante.web.http_connections import HttpConnections, HttpService
from tests.admin.admin_world import NOW, AdminWorld

Loop = Callable[[], asyncio.AbstractEventLoop]


@contextlib.asynccontextmanager
async def serving(
    admin: AdminWorld, path: Path
) -> AsyncIterator[tuple[httpx.AsyncClient, asyncio.Task[None]]]:
    """Serve inside, and give a client and the task that serves."""
    listener = open_control(path)
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    with removed_at_end(listener):
        async with (
            asyncio.TaskGroup() as tasks,
            httpx.AsyncClient(transport=transport, base_url="http://restante") as client,
        ):
            task = tasks.create_task(
                serve_on(admin.context, listener, HttpConnections(HttpService.CONTROL, 8))
            )
            yield client, task
            if not task.cancelling():
                task.cancel()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_the_api_is_served_to_the_servers_user_alone_until_cancelled(
    directory: Path, loop: Loop
) -> None:
    path = directory / "run" / "control.sock"

    async def story() -> None:
        async with serving(AdminWorld(), path) as (client, _):
            answer = await client.get("/v1/status")
            assert answer.json()["is_running"]
            assert "server" not in answer.headers
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
            with pytest.raises(ControlUnusable, match="another server is running there"):
                open_control(path)
        assert not path.exists()

    handler = signal.getsignal(signal.SIGTERM)
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(story())
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_request_that_has_begun_is_finished(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, path = AdminWorld(), directory / "control.sock"
    begun, go_on = asyncio.Event(), asyncio.Event()
    put = admin.store.records.put_account

    async def slowly(*record: Any, **named: Any) -> None:
        begun.set()
        await go_on.wait()
        await put(*record, **named)

    monkeypatch.setattr(admin.store.records, "put_account", slowly)

    async def story() -> int:
        async with serving(admin, path) as (client, task):
            request = asyncio.create_task(client.post("/v1/accounts", json={"name": "alpha"}))
            await begun.wait()
            task.cancel()
            asyncio.get_running_loop().call_soon(go_on.set)
            return (await request).status_code

    assert asyncio.run(story()) == 201
    assert not path.exists()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_events_arrive_on_the_socket_and_a_client_that_leaves_gives_up_its_place(
    directory: Path, loop: Loop
) -> None:
    admin = AdminWorld()
    feed = EventFeed(admin.context.directory, lambda: NOW)
    admin.context = replace(admin.context, parts=replace(admin.context.parts, feed=feed))
    happened = NoticeFacts("room-short", "", "disk", "Room is short.", NOW)

    async def story() -> None:
        async with serving(admin, directory / "control.sock") as (client, _):
            for _ in range(MOST + 1):
                async with client.stream("GET", "/v1/events") as answer:
                    assert answer.status_code == 200
                    texts = answer.aiter_text()
                    assert await anext(texts) == ": alive\n\n"
                    feed.hear_notice(happened)
                    assert "event: notice\n" in await anext(texts)
                while feed._followers:  # noqa: ASYNC110  the feed has no event for it
                    await asyncio.sleep(0)
            async with client.stream("GET", "/v1/events") as answer:
                feed.close()
                assert [text async for text in answer.aiter_text()] == [": alive\n\n"]

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(asyncio.wait_for(story(), 60))
