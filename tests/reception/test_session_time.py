"""The time limits of a session: which one counts at which moment."""

import pytest

from restante.reception.reception_settings import ReceptionSettings
from restante.reception.session_time import LINGER_SECONDS, SessionTime
from restante.smtp.limits import SmtpLimits
from restante.smtp.server_options import ServerOptions
from restante.smtp.server_session import ServerSession
from restante.smtp.session_end import SessionEnd

SETTINGS = ReceptionSettings(
    greeting_timeout=30.0, command_timeout=300.0, content_timeout=180.0, session_seconds=3600.0
)


def begun(*, has_greeted: bool) -> SessionTime:
    """Return the time of a session that began at 0."""
    session = ServerSession(
        ServerOptions("mx2.example.net", SmtpLimits(), {}, can_start_tls=True), has_tls=False
    )
    if has_greeted:
        session.receive_data(b"EHLO c.example\r\n")
        session.next_event()
    return SessionTime(SETTINGS, session, 0.0)


@pytest.mark.parametrize(
    ("has_greeted", "is_shaking_hands", "is_hurried", "seconds"),
    [
        (False, False, False, 30.0),
        (True, True, False, 30.0),
        (True, False, False, 300.0),
        (False, False, True, 3.0),
        (True, False, True, 30.0),
    ],
)
def test_each_step_has_its_time(
    *, has_greeted: bool, is_shaking_hands: bool, is_hurried: bool, seconds: float
) -> None:
    time = begun(has_greeted=has_greeted)

    def end(now: float) -> SessionEnd | None:
        return time.used_up(now, is_shaking_hands=is_shaking_hands, is_hurried=is_hurried)

    assert end(seconds) is None
    assert end(seconds + 0.1) is SessionEnd.TIMED_OUT


def test_commands_without_end_are_not_a_session_without_end() -> None:
    time = begun(has_greeted=True)
    for now in range(0, 3601, 100):
        time.restart(now)
        assert time.used_up(now, is_shaking_hands=False) is None
    time.restart(3601.0)
    assert time.used_up(3601.0, is_shaking_hands=False) is SessionEnd.NO_MESSAGE


def test_something_achieved_begins_the_session_anew_once() -> None:
    time = begun(has_greeted=True)
    time.note_achieved(1, 3000.0)
    time.note_achieved(1, 3500.0)
    time.restart(6600.0)
    assert time.used_up(6600.0, is_shaking_hands=False) is None
    assert time.used_up(6601.0, is_shaking_hands=False) is SessionEnd.NO_MESSAGE


def test_the_time_to_take_the_last_reply_is_its_own() -> None:
    time = begun(has_greeted=False)
    assert not time.has_lingered(LINGER_SECONDS)
    assert time.has_lingered(LINGER_SECONDS + 0.1)
