"""The mail server of this machine is awaited, and left politely."""

from __future__ import annotations

import pytest

from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.local_server import await_local
from tests.restante_client.local_stub import LocalStub


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def time(self) -> float:
        return self.now


def test_a_server_that_comes_up_is_awaited() -> None:
    clock, told = Clock(), list[str]()
    with LocalStub("421 starting", "", "220-hello\r\n220 ready") as stub:
        local = await_local(stub.address, 600, told.append, clock.sleep, clock.time)
        assert local.greeting == b"220-hello\r\n220 ready\r\n"
        local.dismiss()
    assert clock.now == 2
    assert told == [
        f"waiting for the local mail server at {stub.address}: greets with 421 starting"
    ]
    assert stub.heard == ["QUIT"]


@pytest.mark.parametrize("greeting", ["554 no", "hello", "220-" + "x" * 20_000])
def test_a_server_that_never_greets_is_given_up(greeting: str) -> None:
    clock = Clock()
    with (
        LocalStub(*[greeting] * 20) as stub,
        pytest.raises(ClientFailure, match="the local mail server does not answer") as caught,
    ):
        await_local(stub.address, 10, lambda _: None, clock.sleep, clock.time)
    assert caught.value.code is ClientExit.TRY_LATER
    assert len(caught.value.text) < 400
    assert stub.sessions == 10
