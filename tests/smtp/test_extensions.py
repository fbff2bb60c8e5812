"""The extensions in the reply to EHLO, by the state of the session."""

import pytest

from restante.smtp.extensions import offered_extensions

ALWAYS = ["PIPELINING", "SIZE 77", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES", "DSN"]
AUTH = "AUTH PLAIN LOGIN"


@pytest.mark.parametrize(
    ("has_tls", "can_start_tls", "is_authenticated", "further"),
    [
        (False, True, False, ["STARTTLS"]),
        (False, False, False, []),
        (True, True, False, [AUTH, "ETRN"]),
        (True, False, False, [AUTH, "ETRN"]),
        (True, True, True, ["ETRN"]),
    ],
)
def test_passwords_and_releases_are_offered_under_tls_only(
    further: list[str], *, has_tls: bool, can_start_tls: bool, is_authenticated: bool
) -> None:
    offered = offered_extensions(
        message_octets=77,
        mechanisms=("PLAIN", "LOGIN"),
        has_tls=has_tls,
        can_start_tls=can_start_tls,
        is_authenticated=is_authenticated,
    )
    assert list(offered) == [*ALWAYS, *further, "HELP"]
    keywords = [one.split()[0] for one in offered]
    assert len(keywords) == len(set(keywords))
