"""The end of a session: by its age, its last use, its user and the clock."""

from dataclasses import replace

import pytest

from restante.tenancy.grants import GrantedRole
from restante.tenancy.portal_user import PortalUser
from restante.tenancy.session_record import (
    FRESH_SECONDS,
    SessionRecord,
    form_token,
    hash_session_secret,
    new_session_secret,
)

NOW = 1_700_000_000.0
HOUR = 3600.0
ROOT = PortalUser(
    "root@mx.example",
    "",
    frozenset({GrantedRole.OPERATOR}),
    "operator",
    1.0,
    password_hash="$argon2id$",
    sealed_totp=b"\0",
)
ANA = replace(ROOT, email="ana@a.example", account="alpha", sealed_totp=None)


def session(user: PortalUser, signed_in: float = 0.0, used: float = 0.0) -> SessionRecord:
    """Return one whose ages are given."""
    at = NOW - signed_in
    return SessionRecord(b"\1" * 32, user.email, user.stamp, (), "", "", at, at, NOW - used)


@pytest.mark.parametrize(
    ("user", "signed_in", "used", "is_alive"),
    [
        (ROOT, 0.0, 0.0, True),
        (ROOT, HOUR, 1799.0, True),
        (ROOT, HOUR, 1800.0, False),
        (ROOT, 12 * HOUR - 1, 1.0, True),
        (ROOT, 12 * HOUR, 1.0, False),
        (ANA, 24 * HOUR, 12 * HOUR - 1, True),
        (ANA, 24 * HOUR, 12 * HOUR, False),
        (ANA, 168 * HOUR - 1, 1.0, True),
        (ANA, 168 * HOUR, 1.0, False),
    ],
    ids=range(9),
)
def test_a_session_ends_unused_and_at_the_end_of_its_whole_time(
    user: PortalUser, signed_in: float, used: float, is_alive: bool
) -> None:
    assert session(user, signed_in, used).is_of(user, NOW) is is_alive


@pytest.mark.parametrize(("back", "is_alive"), [(59.0, True), (61.0, False)])
def test_a_clock_that_was_set_back_ends_a_session(back: float, is_alive: bool) -> None:
    assert session(ROOT).is_of(ROOT, NOW - back) is is_alive
    assert session(ROOT, 100.0).is_of(ROOT, NOW - back) is is_alive  # by its last use


@pytest.mark.parametrize(
    "other",
    [
        replace(ROOT, password_hash="$argon2id$other"),
        replace(ROOT, grants=frozenset({GrantedRole.OPERATOR_READER})),
        replace(ROOT, created_at=2.0),
        replace(ROOT, email="else@mx.example"),
        replace(ROOT, sealed_totp=None),
    ],
    ids=["password", "role", "invited anew", "another user", "no second factor"],
)
def test_a_session_is_only_of_the_user_as_it_was(other: PortalUser) -> None:
    assert not session(ROOT).is_of(other, NOW)


def test_a_used_code_or_a_new_recovery_code_ends_no_session() -> None:
    assert session(ROOT).is_of(ROOT.changed(totp_step=7, recovery_hashes=(b"\2",)), NOW)


def test_a_factor_is_recent_for_five_minutes() -> None:
    assert session(ROOT, 100.0).fresh_until(NOW) == NOW - 100.0 + FRESH_SECONDS


def test_after_a_clock_was_set_back_no_factor_is_recent() -> None:
    assert session(ROOT).fresh_until(NOW - 3600.0) == 0.0


def test_the_record_and_the_form_do_not_have_the_secret() -> None:
    secret = new_session_secret()
    assert new_session_secret() != secret
    digest = hash_session_secret(secret)
    assert digest is not None
    assert len(digest) == 32
    assert form_token(secret) == form_token(secret)
    assert form_token(secret) not in (secret, form_token(new_session_secret()))
    assert secret not in form_token(secret)


@pytest.mark.parametrize(
    "text", ["", "x", "x" * 42, "x" * 44, "é" * 43, "x" * 100_000], ids=range(6)
)
def test_another_text_is_no_secret(text: str) -> None:
    assert hash_session_secret(text) is None


def test_the_name_in_lists_is_not_enough_to_find_it() -> None:
    assert session(ROOT).key == "01" * 8
