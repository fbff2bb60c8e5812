"""A web listener with everything in use: mail, logins and the control socket do not wait for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import httpx

from restante.admin.event_feed import MOST_OF_ONE
from restante.web.request_places import OF_ONE, PlaceKind
from tests.acceptance.crowd import descriptors, let_us_have, memory
from tests.acceptance.installation import ALPHA, HOST, Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.session import TIMEOUT, Session
from tests.acceptance.test_flood import AWAY, Narrow, deliver

MESSAGES: Final = 100
SEARCHERS: Final = 3 * OF_ONE[PlaceKind.WORK]
SLOW_BODIES: Final = 60
QUICKLY: Final = 30.0  # seconds: each takes some ms, but the machine may do much else
SEARCHES: Final = (
    "/v1/trace?recipient=*nobody*&limit=1000",
    "/v1/queue?recipient=*nobody*&limit=500",
    "/v1/queue/selection?limit=100000",
    "/v1/audit?limit=500",
)
SLOW: Final = b"POST /sign-in HTTP/1.1\r\nHost: r\r\nContent-Length: 60000\r\n\r\nemail="


@contextmanager
def searching(base: str, token: str) -> Iterator[list[int]]:
    """Have more searches at work than an account may have; gives the statuses of their answers."""
    end, statuses = threading.Event(), list[int]()

    def search(number: int) -> None:
        known = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=base, timeout=60, headers=known) as client:
            while not end.is_set():
                statuses.append(client.get(SEARCHES[number % len(SEARCHES)]).status_code)

    searchers = [threading.Thread(target=search, args=(number,)) for number in range(SEARCHERS)]
    for each in searchers:
        each.start()
    try:
        yield statuses
    finally:
        end.set()
        for each in searchers:
            each.join()


def test_a_web_listener_in_full_use_delays_neither_mail_nor_the_operator() -> None:
    """Slow bodies, event streams up to their limit, and more searches than can be at work."""
    with Installation() as restante:
        restante.hosts("alpha.example", AWAY)
        restante.start()
        with Session(restante.mx) as session:
            for _ in range(MESSAGES):
                deliver(session)
        scopes = ("account:read", "queue:read", "history:read", "audit:read")
        words = [word for scope in scopes for word in ("--scope", scope)]
        token = restante.do("token", "add", "alpha", "ci", *words).split()[-1]
        base = f"http://{HOST}:{restante.web_port}"
        with ExitStack() as leave:
            for number in range(SLOW_BODIES):
                source = (f"127.0.4.{number + 1}", 0)
                slow = leave.enter_context(
                    socket.create_connection((HOST, restante.web_port), TIMEOUT, source)
                )
                slow.sendall(SLOW)
            known = {"Authorization": f"Bearer {token}"}
            client = leave.enter_context(httpx.Client(base_url=base, headers=known, timeout=60))
            streams = [
                leave.enter_context(client.stream("GET", "/v1/events")).status_code
                for _ in range(MOST_OF_ONE + 1)
            ]
            assert streams == [200] * MOST_OF_ONE + [503]
            statuses = leave.enter_context(searching(base, token))
            eventually(
                lambda: 503 in statuses and 200 in statuses, what="the searches at their limit"
            )
            waits = [_mail_and_operator(restante) for _ in range(5)]
        assert set(statuses) == {200, 503}
        assert max(waits) < QUICKLY, waits
        assert restante.held("alpha.example") == MESSAGES + 5


def _mail_and_operator(restante: Installation) -> float:
    """Deliver a message, log in, and ask at the control socket; return the longest wait."""
    waits = []
    for each in (_deliver_one, _log_in, _ask_at_the_socket):
        began = time.monotonic()
        each(restante)
        waits.append(time.monotonic() - began)
    return max(waits)


def _deliver_one(restante: Installation) -> None:
    with Session(restante.mx) as session:
        deliver(session)


def _log_in(restante: Installation) -> None:
    with Session(restante.smtps) as session:
        assert session.authenticate(ALPHA).startswith(b"235")


def _ask_at_the_socket(restante: Installation) -> None:
    transport = httpx.HTTPTransport(uds=str(restante.socket))
    with httpx.Client(transport=transport, base_url="http://restante", timeout=60) as control:
        assert control.get("/v1/status").is_success


def test_bodies_of_an_octet_at_a_time_take_bounded_memory_and_no_descriptor_of_mail() -> None:
    """From more addresses than the server has descriptors for."""
    with Narrow(512) as restante:
        restante.hosts("alpha.example", AWAY)
        restante.start()
        let_us_have(1500)
        before = memory(restante.pid)
        with ExitStack() as leave:
            slow = []
            for number in range(1000):
                one = leave.enter_context(socket.socket())
                one.bind((f"127.0.{4 + number // 250}.{number % 250 + 1}", 0))
                one.settimeout(TIMEOUT)
                one.connect((HOST, restante.web_port))
                one.sendall(SLOW)
                slow.append(one)
            for _ in range(5):
                for one in slow:
                    _send_one_octet(one)
                with Session(restante.mx) as session:
                    deliver(session)
            assert descriptors(restante.pid) < 512
            assert memory(restante.pid) - before < 64 * 2**20
            restante.wait_for_event("http-connections-cut", service="web")
        assert restante.held("alpha.example") == 5
        assert not restante.events("accepts-failed")


def _send_one_octet(one: socket.socket) -> None:
    try:
        one.sendall(b"x")
    except OSError:  # the server has closed it for another
        return
