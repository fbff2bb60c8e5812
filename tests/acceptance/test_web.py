"""The `web` listener of a whole server: a stranger learns nothing, and mail never waits for it."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Final

import httpx
import pytest

from tests.acceptance.crowd import let_us_have
from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.session import TIMEOUT, Session
from tests.acceptance.test_flood import AWAY, Narrow, deliver

SLOW: Final = b"POST /v1/queue/import HTTP/1.1\r\nHost: r\r\nContent-Length: 1000000\r\n\r\nslow"
OTHERS: Final = "127.0.3."  # addresses of the crowd


def test_a_stranger_gets_health_and_refusals_alone() -> None:
    with Installation() as restante:
        restante.start()
        base = f"http://{HOST}:{restante.web_port}"
        with httpx.Client(base_url=base, timeout=TIMEOUT) as client:
            assert client.get("/healthz").text == "alive\n"
            assert client.get("/readyz").text == "ready\n"
            for path in ("/v1/status", "/metrics", "/v1/openapi.json"):
                answer = client.get(path, headers={"Authorization": "Bearer nonsense"})
                assert (answer.status_code, answer.json()["status"]) == (401, 401)
            answer = client.get("/")
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
            assert "script-src 'self'" in client.get("/").headers["content-security-policy"]
            for path in ("/docs", "/redoc", "/domains"):
                assert client.get(path).status_code == 404
            assert client.get("/static/portal.css").status_code == 200
        refused = restante.wait_for_event("http-requests-refused", cause="no-credentials")
        assert refused["peer"] == HOST
        listeners = restante.shown("status")["listeners"]
        assert [each["service"] for each in listeners] == ["mx", "smtps", "web", "odmr"]


def test_a_token_opens_the_api_within_its_rights() -> None:
    with Installation() as restante:
        restante.hosts("alpha.example", AWAY)
        restante.start()
        token = restante.do("token", "add", "alpha", "ci", "--scope", "domain:read").split()[-1]
        base = f"http://{HOST}:{restante.web_port}"
        known = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "192.0.2.7"}
        with httpx.Client(base_url=base, timeout=TIMEOUT, headers=known) as client:
            answer = client.get("/v1/domains")
            assert [each["name"] for each in answer.json()] == ["alpha.example"]
            assert answer.headers["cache-control"] == "no-store"
            head = client.head("/v1/domains/alpha.example")
            assert (head.status_code, head.content) == (200, b"")
            assert client.get("/metrics").status_code == 403
            assert client.get("/v1/nothing").status_code == 404
            assert client.options("/v1/domains").status_code == 405
            assert client.get(f"/v1/domains?token={token}").status_code == 400
            assert client.post("/v1/release", content=bytes(2**16 + 1)).status_code == 413


def test_it_is_not_ready_without_room_and_says_no_more() -> None:
    with Installation(more="[reception]\ndisk_reserve = 1_000_000_000_000_000\n") as restante:
        restante.start()
        answer = httpx.get(f"http://{HOST}:{restante.web_port}/readyz", timeout=TIMEOUT)
        assert (answer.status_code, answer.text) == (503, "not ready\n")


def test_a_listener_that_would_show_tokens_is_refused() -> None:
    with Installation() as restante:
        text = restante.config.read_text()
        restante.config.write_text(text.replace(f"{HOST}:{restante.web_port}", "0.0.0.0:0"))
        for words in (("config", "check"), ("serve",)):
            ended = restante.run(*words)
            assert ended.returncode == 78
            assert "without TLS must be on loopback; set tls = true" in ended.stderr


@pytest.mark.parametrize("descriptors", [256, 1024])
def test_idle_and_slow_web_clients_take_nothing_from_mail(descriptors: int) -> None:
    """A thousand that say nothing, and more with a body that stops: mail and health go on."""
    with Narrow(descriptors) as restante:
        restante.hosts("alpha.example", AWAY)
        restante.start()
        web = (HOST, restante.web_port)
        let_us_have(1600)
        with ExitStack() as leave:
            for number in range(1200):
                remote = leave.enter_context(socket.socket())
                remote.bind((f"{OTHERS}{number % 200 + 1}", 0))
                remote.setblocking(False)
                remote.connect_ex(web)
                if number % 6 == 0:
                    with_body = leave.enter_context(socket.create_connection(web, TIMEOUT))
                    with_body.sendall(SLOW)
            for _ in range(5):
                with Session(restante.mx) as session:
                    deliver(session)
            assert restante.held("alpha.example") == 5
            assert httpx.get(f"http://{HOST}:{restante.web_port}/healthz", timeout=TIMEOUT).text
            restante.wait_for_event(
                "http-connections-cut", service="web", cause="too-many-connections"
            )
        assert not restante.events("accepts-failed")
        eventually(
            lambda: restante.shown("status")["listeners"][2]["sessions"] <= 1,
            what="the crowd to have left",
        )
