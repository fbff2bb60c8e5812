"""What every acceptance test may use."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.acceptance.installation import Installation


@pytest.fixture(scope="module")
def restante() -> Iterator[Installation]:
    """An installation with nothing set but its ports, its server running."""
    with Installation() as restante:
        restante.start()
        yield restante


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that failed what the server said."""
    report = yield
    if report.failed:
        for installation in Installation.open:
            report.sections.append(("the server's log", installation.log_tail()))
    return report
