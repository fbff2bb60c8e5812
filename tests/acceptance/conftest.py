"""Fixtures for every acceptance test."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.loopback import addresses
from tests.acceptance.name_server import NameServer
from tests.acceptance.peers.ports import free_port
from tests.acceptance.peers.postfix import PostfixPrimary
from tests.acceptance.peers.primary import Primary
from tests.acceptance.sample import SENDER_DOMAIN


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation with nothing set but its ports, its server running."""
    with Installation() as restante:
        restante.start()
        yield restante


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    """The DNS as the server under test sees it."""
    with NameServer({}) as names:
        yield names


@pytest.fixture
def home(names: NameServer) -> Iterator[Primary]:
    """The mail server of the reverse-path's domain, which only its MX record leads to."""
    [address] = addresses(1)
    with PostfixPrimary(
        [SENDER_DOMAIN], address=address, port=free_port(address), hostname="mx.sender.example"
    ) as home:
        mx = f"mx.{SENDER_DOMAIN}"
        names.records = {
            SENDER_DOMAIN: {"MX": [f"10 {mx}."], "A": ["127.0.0.1"]},
            mx: {"A": [home.address]},
        }
        yield home


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that failed what the server said."""
    report = yield
    if report.failed:
        for installation in Installation.open:
            report.sections.append(("the server's log", installation.log_tail()))
    return report
