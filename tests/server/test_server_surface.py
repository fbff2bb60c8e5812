"""The running server as administration sees it."""

import asyncio
import ssl
from types import SimpleNamespace
from typing import Any, cast

import pytest

from restante.release.release_outcome import CannotNow, Granted, Refused, ReleaseOutcome
from restante.release.release_request import ReleaseRequest
from restante.release.releaser import Releaser
from restante.server.server_surface import RunningServer
from restante.tenancy.principal import COMMAND_LINE, Principal, Role, account_login
from tests.actors import actor_named


def surface(**parts: Any) -> RunningServer:
    names = (
        *("releaser", "dispatcher", "watcher", "reports", "notices", "listeners_open", "counts"),
        *("instruments", "domain_instruments", "configuration_state"),
    )
    return RunningServer(**{**dict.fromkeys(names), **parts})


class Asked:
    """A releaser with one answer."""

    def __init__(self, outcome: ReleaseOutcome) -> None:
        self.outcome = outcome
        self.requests: list[ReleaseRequest] = []

    async def release(self, request: ReleaseRequest) -> ReleaseOutcome:
        self.requests.append(request)
        return self.outcome


@pytest.mark.parametrize(
    "outcome",
    [
        Granted("a.example", 3, "as asked"),
        Refused("a.example", "not hosted"),
        CannotNow("a.example", "the store is away", 2),
    ],
)
def test_a_release_is_answered_with_the_outcome_that_the_wire_gets(
    outcome: ReleaseOutcome,
) -> None:
    releaser = Asked(outcome)
    server = surface(releaser=cast("Releaser", releaser))
    principal = account_login("anna", "alpha", COMMAND_LINE)
    answer = asyncio.run(server.release("a.example", principal, "the line is back"))
    assert answer == outcome
    [request] = releaser.requests
    assert (request.argument, request.note) == ("a.example", "the line is back")
    assert (request.requester.is_operator, request.requester.only_account) == (True, "alpha")


def test_an_operator_releases_for_every_account() -> None:
    releaser = Asked(Granted("a.example", 1, ""))
    server = surface(releaser=cast("Releaser", releaser))
    operator = Principal(Role.OPERATOR, actor_named("operator root"), COMMAND_LINE)
    asyncio.run(server.release("a.example", operator, ""))
    assert releaser.requests[0].requester.only_account == ""


def test_listeners_are_shown_in_their_order_with_the_oldest_version_of_tls() -> None:
    def listener(service: str, address: str, minimum: ssl.TLSVersion, sessions: int) -> Any:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = minimum
        settings = SimpleNamespace(tls=context)
        return SimpleNamespace(
            service=service, address_text=address, settings=settings, sessions=sessions
        )

    listening = [
        listener("mx", "0.0.0.0:25", ssl.TLSVersion.TLSv1_2, 7),
        listener("smtps", "[::]:465", ssl.TLSVersion.TLSv1_3, 0),
    ]
    shown = surface(listeners_open=listening).listeners()
    assert [(one.service, one.address, one.tls_minimum, one.sessions) for one in shown] == [
        ("mx", "0.0.0.0:25", "1.2", 7),
        ("smtps", "[::]:465", "1.3", 0),
    ]
