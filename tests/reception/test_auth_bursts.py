"""AUTH that fails again and again is told, by login and by account; on the wire, and in numbers."""

import ipaddress

from restante.reception.auth_bursts import OF_A_LOGIN, OF_AN_ACCOUNT, AuthBursts
from restante.telemetry.events import AuthenticationBurst
from restante.tenancy.model import Login
from tests.log_lines import Lines
from tests.reception.test_auth_gate import FAR, attempt, crowd

PEER = ipaddress.ip_address("203.0.113.9")


def login(user: str, account: str = "alpha") -> Login:
    return Login(user, account, "", None, 0.0)


class Story:
    def __init__(self) -> None:
        self.now = 100.0
        self.log = Lines()
        self.bursts = AuthBursts(self.log, lambda: self.now)

    def told(self) -> list[tuple[str, str | None, int]]:
        """Return the account, the login if it is about one, and the number of each burst."""
        return [
            (line["account"], line.get("login"), line["failures"])
            for line in self.log.of(AuthenticationBurst)
        ]


def test_ten_failures_in_ten_minutes_are_told_and_the_next_ten_again() -> None:
    story = Story()
    for _ in range(OF_A_LOGIN - 1):
        story.bursts.failed(login("alice"), PEER)
    assert story.told() == []
    story.bursts.failed(login("alice"), PEER)
    assert story.log.of(AuthenticationBurst) == [
        {
            "login": "alice",
            "account": "alpha",
            "failures": 10,
            "minutes": 10,
            "peer": str(PEER),
        }
    ]
    for _ in range(OF_A_LOGIN):
        story.bursts.failed(login("alice"), PEER)
    assert story.told() == [("alpha", "alice", 10)] * 2


def test_failures_far_apart_are_no_burst() -> None:
    story = Story()
    for _ in range(100):
        story.bursts.failed(login("alice"), PEER)
        story.now += 70
    assert story.told() == []


def test_a_few_failures_of_many_logins_are_a_burst_of_their_account() -> None:
    story = Story()
    for place in range(OF_AN_ACCOUNT):
        story.bursts.failed(login(f"user{place % 10}"), PEER)
        story.bursts.failed(login(f"other{place % 10}", f"account{place % 4}"), PEER)
    assert story.told() == [("alpha", None, OF_AN_ACCOUNT)]


def test_guesses_on_the_wire_are_counted_also_those_that_are_put_off() -> None:
    smtp = crowd()
    told: list[str] = []
    smtp._services.auth_gate._on_failure = lambda tried, peer: told.append(f"{tried.user} {peer}")
    for _ in range(5):
        attempt(smtp, "alpha", "guess")
    attempt(smtp, "nobody", "guess")
    smtp.close()
    assert told == [f"alpha {FAR}"] * 5


def test_a_check_deferred_because_we_are_busy_is_no_guess() -> None:
    smtp = crowd()
    told: list[str] = []
    smtp._services.auth_gate._on_failure = lambda tried, _: told.append(tried.user)
    smtp._authenticator.set_limit(0)
    assert attempt(smtp, "alpha").startswith(b"454")
    smtp.close()
    assert told == []
