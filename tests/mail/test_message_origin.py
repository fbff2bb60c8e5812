"""Where a message came from, as it is kept."""

import pytest

from restante.mail.message_origin import HELLO_LIMIT, MessageOrigin, PtrStatus, shown_hello


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("client.example", "client.example"),
        ("[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        ("a\x1b[2Jb", "a?[2Jb"),
        ("bücher.example", "b?cher.example"),
        ("\udcff", "?"),
        ("", ""),
        ("x" * 1000, "x" * HELLO_LIMIT),
        ("ü" * 1000, "?" * HELLO_LIMIT),
    ],
)
def test_the_name_of_a_client_can_be_shown(given: str, shown: str) -> None:
    assert shown_hello(given) == shown


@pytest.mark.parametrize("status", PtrStatus)
def test_only_a_confirmed_name_may_be_trusted(status: PtrStatus) -> None:
    origin = MessageOrigin("192.0.2.1", 25, "x", host_name="mx.example.org", ptr=status)
    is_confirmed = status is PtrStatus.CONFIRMED
    assert origin.confirmed_name == ("mx.example.org" if is_confirmed else "")
