"""The metrics over HTTP: on the control socket with all else, and alone on a port of their own."""

import asyncio
import socket

import httpx
import pytest

from restante.reception.listener import bind
from restante.telemetry.events import InternalError
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.metrics_service import build_metrics, serve_metrics
from tests.admin.admin_world import AdminWorld


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/metrics", 200),
        ("POST", "/metrics", 405),
        ("GET", "/", 404),
        ("GET", "/v1/status", 404),
    ],
)
def test_on_their_own_port_there_is_nothing_else(method: str, path: str, status: int) -> None:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(build_metrics(AdminWorld().context))
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.request(method, path)

    assert asyncio.run(once()).status_code == status


def test_a_defect_on_their_own_port_is_logged_too(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminWorld()

    async def fail(*_: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(admin.server, "metrics", fail)

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(build_metrics(admin.context), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://restante") as client:
            return await client.get("/metrics")

    answer = asyncio.run(once())
    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert admin.log.lines[-1][0] is InternalError


def test_the_port_is_served_until_cancelled() -> None:
    listener = bind("127.0.0.1:0")
    host, port = listener.getsockname()

    async def story() -> httpx.Response:
        async with (
            asyncio.TaskGroup() as tasks,
            httpx.AsyncClient(base_url=f"http://{host}:{port}") as client,
        ):
            listener.listen()
            task = tasks.create_task(
                serve_metrics(
                    AdminWorld().context, listener, HttpConnections(HttpService.METRICS, 8)
                )
            )
            answer = await client.get("/metrics")
            task.cancel()
            return answer

    answer = asyncio.run(story())
    assert answer.text == "restante_held_messages 7.0\n"
    assert "server" not in answer.headers
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect((host, port))
