"""The extensions in the reply to EHLO, by the state of the session."""

import pytest

from restante.smtp.extensions import offered_extensions

ALWAYS = ["PIPELINING", "SIZE 77", "8BITMIME", "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES", "DSN"]
AUTH = "AUTH PLAIN LOGIN"


@pytest.mark.parametrize("is_authenticated", [False, True])
def test_a_turnaround_is_offered_under_tls_only_and_before_a_login_too(
    *, is_authenticated: bool
) -> None:
    """fetchmail looks for it before it logs in, and nowhere else."""

    def offered(*, has_tls: bool, turns_around: bool = True) -> bool:
        return "ATRN" in offered_extensions(
            message_octets=77,
            mechanisms=("PLAIN",),
            has_tls=has_tls,
            can_start_tls=True,
            is_authenticated=is_authenticated,
            turns_around=turns_around,
        )

    assert offered(has_tls=True)
    assert not offered(has_tls=False)
    assert not offered(has_tls=True, turns_around=False)


def test_a_listener_that_takes_no_mail_offers_nothing_for_it() -> None:
    offered = offered_extensions(
        message_octets=None,
        mechanisms=("PLAIN",),
        has_tls=True,
        can_start_tls=False,
        is_authenticated=False,
        turns_around=True,
    )
    assert offered == ("PIPELINING", "ENHANCEDSTATUSCODES", "AUTH PLAIN", "ATRN", "ETRN", "HELP")


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
