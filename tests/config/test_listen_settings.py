"""The settings of a listener."""

from typing import Any

import pytest
from pydantic import ValidationError

from restante.config.listen_settings import Listen, meet


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("[::ffff:127.0.0.1]:25", "127.0.0.1:25"),  # a socket of IPv6 alone cannot bind it
        ("[::ffff:0.0.0.0]:25", "0.0.0.0:25"),
        ("[0:0::1]:25", "[::1]:25"),
        ("[2001:DB8:0::1]:25", "[2001:db8::1]:25"),
        ("[fe80::1%eth0]:25", "[fe80::1%eth0]:25"),
    ],
)
def test_an_address_is_kept_as_it_is_bound(written: str, address: str) -> None:
    listen = Listen.model_validate({"service": "mx", "address": written})
    assert listen.address == address


def test_an_endpoint_is_an_address_and_a_port() -> None:
    listen = Listen(service="mx", address="[2001:db8::1]:25")
    assert listen.endpoint == ("2001:db8::1", 25)
    assert not listen.is_loopback
    assert Listen(service="web", address="[::1%lo]:80").is_loopback


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"service": "smtps", "tls": True}, "tls is not a setting of smtps, which has TLS always"),
        ({"service": "acme", "tls": True}, "tls is not a setting of acme, which has no TLS"),
        ({"service": "mx", "client_certificates": False}, "is no setting of mx"),
        ({"service": "mx", "address": "mx:25"}, "address"),
    ],
)
def test_a_setting_of_another_service_is_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Listen.model_validate({"address": "127.0.0.1:25"} | settings)


@pytest.mark.parametrize(
    ("service", "has_tls", "asks"),
    [("mx", True, False), ("odmrs", True, True), ("web", False, False), ("acme", False, False)],
)
def test_a_service_decides_about_tls_and_certificates(
    service: Any, *, has_tls: bool, asks: bool
) -> None:
    listen = Listen(service=service, address="127.0.0.1:25")
    assert listen.has_tls is has_tls
    assert listen.asks_for_certificates is asks


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (("0.0.0.0", 25), ("127.0.0.1", 25), True),
        (("::", 25), ("::1", 25), True),
        (("::", 25), ("127.0.0.1", 25), False),
        (("127.0.0.1", 25), ("127.0.0.2", 25), False),
        (("127.0.0.1", 0), ("127.0.0.1", 0), False),
    ],
)
def test_binds_meet_at_one_address_or_at_all(
    one: tuple[str, int], other: tuple[str, int], *, expected: bool
) -> None:
    assert meet(one, other) is expected
