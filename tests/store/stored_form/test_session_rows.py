"""Rows of sessions: the factors are stored as their words."""

from dataclasses import replace

from restante.store.stored_form.session_rows import read_session, session_row
from restante.tenancy.session_record import SessionRecord
from restante.tenancy.sign_in_factor import SignInFactor

SESSION = SessionRecord(
    b"1" * 32,
    "ana@a.example",
    b"stamp",
    (SignInFactor.PASSWORD, SignInFactor.RECOVERY_CODE),
    "192.0.2.9",
    "Browser/1.0",
    1.0,
    2.0,
    3.0,
)


def test_a_session_is_read_back_as_it_was_spelled() -> None:
    row = session_row(SESSION)
    assert row[3] == "password recovery-code"
    assert read_session(row) == SESSION
    assert read_session(session_row(replace(SESSION, factors=()))).factors == ()


def test_words_of_another_version_are_left_out() -> None:
    row = list(session_row(SESSION))
    row[3] = "password retina"
    assert read_session(tuple(row)).factors == (SignInFactor.PASSWORD,)
