"""When the end of the certificate is told."""

import asyncio

import pytest

from restante.network.served_certificate import ServedCertificate
from restante.notices.certificate_watch import CertificateWatch, expiry_step_due
from restante.telemetry.events import CertificateExpiring
from tests.log_lines import Lines
from tests.wire import NOW

DAY = 86400.0


@pytest.mark.parametrize(
    ("days", "step"),
    [
        (15, None),
        (14, 14),
        (8, 14),
        (7, 7),
        (3.5, 7),
        (3, 3),
        (1.5, 3),
        (1, 1),
        (0.1, 1),
        (0, 0),
        (-5, 0),
    ],
)
def test_the_steps(days: float, step: int | None) -> None:
    assert expiry_step_due(NOW + days * DAY, NOW) == step


def test_each_step_is_told_once_and_a_renewed_certificate_anew() -> None:
    log, now, expires_at = Lines(), NOW, NOW + 20 * DAY

    async def wait(_event: asyncio.Event, seconds: float) -> None:
        nonlocal now, expires_at
        now += seconds
        if now > NOW + 25 * DAY:
            raise asyncio.CancelledError
        if now > NOW + 21 * DAY and expires_at < NOW + 21 * DAY:
            expires_at = NOW + 30 * DAY  # too late, and for a short time

    async def story() -> None:
        await CertificateWatch(
            lambda: [ServedCertificate(("mx2.example.net",), expires_at)], log, lambda: now, wait
        ).run()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())
    assert [line["days"] for line in log.of(CertificateExpiring)] == [14, 7, 3, 1, 0, 14, 7]
    assert log.of(CertificateExpiring)[0]["ends"] == "2027-02-04T08:00:00Z"


def test_each_certificate_has_steps_of_its_own() -> None:
    log = Lines()
    customer = ServedCertificate(("mx.customer.example",), NOW + 2 * DAY)
    served = [ServedCertificate(("mx2.example.net",), NOW + 20 * DAY), customer]
    watch = CertificateWatch(lambda: served, log, lambda: NOW)
    watch.look()
    served[0] = served[0]._replace(expires_at=NOW + 6 * DAY)
    watch.look()
    watch.look()
    told = [(line["hosts"], line["days"]) for line in log.of(CertificateExpiring)]
    assert told == [(("mx.customer.example",), 3), (("mx2.example.net",), 7)]


def test_a_certificate_for_many_hosts_is_told_by_the_first() -> None:
    log = Lines()
    hosts = tuple(f"mx{number}.example.net" for number in range(100))
    CertificateWatch(lambda: [ServedCertificate(hosts, NOW)], log, lambda: NOW).look()
    assert log.of(CertificateExpiring)[0]["hosts"] == hosts[:10]
