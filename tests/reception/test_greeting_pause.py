"""New clients wait for the greeting; those that have waited, and authorized hosts, do not."""

import pytest

from restante.reception import greeting_pause
from restante.reception.greeting_pause import KNOWN_SECONDS, GreetingPause
from restante.tenancy.model import IpAddress
from tests.wire import HOME


def pause(now: list[float], seconds: float = 3.0, *exempt: IpAddress) -> GreetingPause:
    return GreetingPause(lambda: seconds, lambda address: address in exempt, lambda: now[0])


def test_a_client_waits_once_a_day() -> None:
    now = [0.0]
    made = pause(now)
    assert made.seconds_for(HOME) == 3.0
    made.has_waited(HOME)
    now[0] = KNOWN_SECONDS - 1
    assert made.seconds_for(HOME) == 0.0
    now[0] = KNOWN_SECONDS
    assert made.seconds_for(HOME) == 3.0


def test_without_a_pause_and_for_authorized_hosts_there_is_none() -> None:
    assert pause([0.0], 0.0).seconds_for(HOME) == 0.0
    assert pause([0.0], 3.0, HOME).seconds_for(HOME) == 0.0


def test_only_the_newest_clients_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greeting_pause, "MOST_KNOWN", 1)
    made = pause([0.0])
    made.has_waited(HOME)
    made.has_waited(HOME + 1)
    assert made.seconds_for(HOME) == 3.0
    assert made.seconds_for(HOME + 1) == 0.0
