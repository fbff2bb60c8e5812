"""When the command runs: at once, at intervals, earlier after a failure, and with the network."""

from __future__ import annotations

import socket
from collections.abc import Callable

from restante_client.client_failure import ClientExit
from restante_client.watch_loop import WatchLoop, address_towards, can_reach


def times_of(
    codes: list[ClientExit],
    address: Callable[[float], str | None],
    interval: float = 600,
    is_reached: Callable[[float], bool] = lambda _: True,
) -> list[float]:
    """Return when each run began."""
    now, runs = [0.0], list[float]()

    def run() -> ClientExit:
        runs.append(now[0])
        return codes[len(runs) - 1]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    watch = WatchLoop(
        run,
        lambda: address(now[0]),
        lambda: is_reached(now[0]),
        interval,
        sleep=sleep,
        clock=lambda: now[0],
    )
    watch.loop(lambda: len(runs) == len(codes))
    return runs


def test_it_runs_at_once_and_at_intervals() -> None:
    assert times_of([ClientExit.DONE] * 3, lambda _: "a") == [0, 600, 1200]


def test_it_tries_again_earlier_with_growing_pauses() -> None:
    later = [ClientExit.TRY_LATER, ClientExit.UNAVAILABLE] * 3
    assert times_of(later, lambda _: "a") == [0, 60, 180, 420, 900, 1500]
    codes = [ClientExit.TRY_LATER, ClientExit.DONE, ClientExit.TRY_LATER, ClientExit.DONE]
    assert times_of(codes, lambda _: "a") == [0, 60, 660, 720]
    assert times_of(later[:3], lambda _: "a", 30) == [0, 30, 60]


def test_a_refusal_is_not_repeated_early() -> None:
    assert times_of([ClientExit.NOT_ALLOWED] * 2, lambda _: "a") == [0, 600]


def test_it_runs_when_the_network_comes_back() -> None:
    done = [ClientExit.DONE] * 2
    assert times_of(done, lambda now: "a" if now < 10 or now > 50 else None) == [0, 55]
    assert times_of(done, lambda now: "a" if now < 100 else "b") == [0, 100]
    assert times_of(done, lambda now: "a" if now < 100 else None) == [0, 600]


def test_a_network_that_comes_and_goes_does_not_make_it_run_all_the_time() -> None:
    done = [ClientExit.DONE] * 4
    assert times_of(done, lambda now: "ab"[int(now / 5) % 2]) == [0, 15, 30, 45]
    assert times_of(done[:2], lambda now: "a" if now < 5 else None if 10 < now < 60 else "b") == [
        0,
        60,
    ]
    assert times_of(done, lambda now: "ab"[int(now / 5) % 2], interval=5) == [0, 5, 10, 15]


def test_behind_a_router_it_runs_when_the_server_can_be_reached_again() -> None:
    codes = [ClientExit.DONE, *[ClientExit.TRY_LATER] * 3, ClientExit.DONE, ClientExit.DONE]

    def is_reached(now: float) -> bool:
        return not 500 < now < 1000

    assert times_of(codes, lambda _: "a", 600, is_reached) == [0, 600, 660, 780, 1005, 1605]
    refused = [ClientExit.NOT_ALLOWED] * 2  # not asked again for that
    assert times_of(refused, lambda _: "a", 600, lambda now: now > 100) == [0, 600]


def test_a_server_is_reached_if_it_takes_a_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = ("127.0.0.1", listener.getsockname()[1])
        assert can_reach(endpoint)
    assert not can_reach(endpoint)
    assert not can_reach(("no.such.name.invalid", 25))


def test_the_address_towards_a_server_is_ours() -> None:
    assert address_towards(("127.0.0.1", 25)) == "127.0.0.1"
    assert address_towards(("no.such.name.invalid", 25)) is None
