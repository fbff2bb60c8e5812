"""AUTH under attack, on the wire: delays, temporary refusal, and the owner still gets in."""

import asyncio
import ipaddress

from restante.reception.reception_settings import ReceptionSettings
from restante.telemetry.events import AuthenticationEnded
from tests.wire import HOME, Wire, initial_response

FAR = ipaddress.ip_address("203.0.113.5")
PUT_OFF = b"454 4.7.0 Temporary authentication failure\r\n"
REFUSED = b"535 5.7.8 Authentication credentials invalid\r\n"
ACCEPTED = b"235 2.7.0 Authentication successful\r\n"


def attempt(smtp: Wire, user: str, password: str | None = None) -> bytes:
    """Try once, in a session of its own."""
    smtp.connect(has_tls=True)
    response = initial_response(user) if password is None else initial_response(user, password)
    smtp.send(f"AUTH PLAIN {response}\r\n".encode())
    return smtp.session.data_to_send()


def crowd(**settings: int) -> Wire:
    smtp = Wire(ReceptionSettings(**{"failures_until_refusal": 3, **settings}))  # type: ignore[arg-type]
    smtp.hosts("a.example")
    smtp.peer = FAR
    return smtp


def test_guessing_is_answered_later_each_time_and_then_not_at_all() -> None:
    smtp = crowd()
    assert [attempt(smtp, "alpha", "guess") for _ in range(4)] == [REFUSED] * 3 + [PUT_OFF]
    assert smtp.delays == [0, 0.5, 1]
    assert attempt(smtp, "alpha") == PUT_OFF  # even the right password: nothing is learned now
    smtp.now += 901
    assert attempt(smtp, "alpha") == ACCEPTED
    smtp.close()


def test_an_unknown_login_is_treated_the_same() -> None:
    smtp = crowd()
    assert [attempt(smtp, "nobody", "guess") for _ in range(4)] == [REFUSED] * 3 + [PUT_OFF]
    smtp.close()


def test_the_owner_gets_in_from_an_authorized_host_whatever_others_do() -> None:
    smtp = crowd()
    for _ in range(20):
        attempt(smtp, "alpha", "guess")
    smtp.peer = HOME
    assert attempt(smtp, "alpha") == ACCEPTED
    smtp.close()


def test_many_logins_from_one_block_are_put_off_too() -> None:
    smtp = crowd()
    users = ["one", "two", "three", "four"]
    assert [attempt(smtp, user, "guess") for user in users] == [REFUSED] * 3 + [PUT_OFF]
    smtp.peer = ipaddress.ip_address("203.0.113.6")
    assert attempt(smtp, "five", "guess") == REFUSED
    smtp.close()


def test_a_login_of_ones_own_buys_no_further_guesses_at_others() -> None:
    smtp = crowd()
    smtp.hosts("b.example", account="beta")
    attempt(smtp, "alpha", "guess")
    attempt(smtp, "alpha", "guess")
    assert attempt(smtp, "beta") == ACCEPTED
    assert attempt(smtp, "alpha", "guess") == REFUSED
    assert attempt(smtp, "alpha", "guess") == PUT_OFF
    smtp.close()


def test_so_many_attempts_in_a_minute() -> None:
    smtp = crowd(authentications_per_minute=2, failures_until_refusal=100)
    assert [attempt(smtp, "alpha", "guess") for _ in range(3)] == [REFUSED, REFUSED, PUT_OFF]
    last = smtp.log.of(AuthenticationEnded)[-1]
    assert (last["result"], last["deferred_by"]) == ("deferred", "attempts-per-minute")
    smtp.now += 60
    assert attempt(smtp, "alpha", "guess") == REFUSED
    smtp.close()


def test_checks_that_wait_are_bounded() -> None:
    smtp = crowd(pending_authentications_limit=1, failures_until_refusal=100)

    async def two_at_once() -> None:
        dialogue, session = smtp.dialogue, smtp.session
        first = f"AUTH PLAIN {initial_response('alpha', 'guess')}\r\n".encode()
        session.receive_data(first)
        dialogue.advance()
        second_dialogue, second = smtp._connect(has_tls=True)
        second.receive_data(b"EHLO c.example\r\n" + first)
        second_dialogue.advance()
        while dialogue.is_waiting or second_dialogue.is_waiting:
            await smtp._settle_tasks()
        assert session.data_to_send() == REFUSED
        assert second.data_to_send().endswith(PUT_OFF)

    smtp.connect(has_tls=True)
    smtp.run(two_at_once())
    smtp.close()


def test_etrn_has_its_rate_too_and_a_flood_leaves_the_trail_alone() -> None:
    smtp = crowd(releases_per_minute=2)
    smtp.peer = HOME
    smtp.connect(has_tls=True)
    smtp.transcript("""
        C: AUTH PLAIN {alpha}
        S: 235 2.7.0 Authentication successful
        C: ETRN a.example
        S: 251 2.0.0 OK, no messages waiting for node a.example
        C: ETRN a.example
        S: 251 2.0.0 OK, no messages waiting for node a.example
        C: ETRN a.example
        S: 458 4.3.0 Unable to queue messages for node a.example
    """)
    assert len(smtp.trail()) == 2
    smtp.now += 31
    smtp.transcript("C: ETRN a.example\nS: 251 2.0.0 OK, no messages waiting for node a.example")
    smtp.close()


def test_a_stop_waits_for_no_delay() -> None:
    """A delayed AUTH gets its reply at once; later ones are deferred unchecked."""
    smtp = crowd()
    attempt(smtp, "alpha", "guess")
    gate = smtp._services.auth_gate
    gate._sleep = lambda _: asyncio.sleep(3600)

    async def stop_in_the_middle() -> None:
        smtp.session.receive_data(f"AUTH PLAIN {initial_response('alpha', 'guess')}\r\n".encode())
        smtp.dialogue.advance()
        while not gate._delays:
            await asyncio.wait(smtp._tasks, timeout=0.001)
        gate.close()
        await smtp._settle_tasks()

    smtp.connect(has_tls=True)
    smtp.run(stop_in_the_middle())
    assert smtp.session.data_to_send() == REFUSED
    assert attempt(smtp, "alpha") == PUT_OFF
    smtp.close()
