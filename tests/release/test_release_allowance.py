"""The number of release requests a minute, counted by login or by address block."""

import ipaddress
from dataclasses import dataclass, field

import pytest

from restante.release.release_allowance import ReleaseAllowance
from restante.release.release_request import Requester
from restante.tenancy.model import Login
from tests.actors import actor_named

LIMIT = 2


def login(user: str) -> Requester:
    return Requester(login=Login(user, "alpha", "hash", None, 0.0))


def host(address: str) -> Requester:
    return Requester(address=ipaddress.ip_address(address))


@dataclass
class Scene:
    now: float = 0.0
    allowance: ReleaseAllowance = field(init=False)

    def __post_init__(self) -> None:
        self.allowance = ReleaseAllowance(LIMIT, lambda: self.now)

    def take(self, requester: Requester, count: int = 1, *, is_right: bool = True) -> list[bool]:
        return [self.allowance.take(requester, is_right=is_right) for _ in range(count)]


@pytest.mark.parametrize("is_right", [True, False])
def test_each_kind_has_the_whole_limit(is_right: bool) -> None:
    scene = Scene()
    assert scene.take(login("anna"), 3, is_right=is_right) == [True, True, False]
    assert scene.take(login("anna"), 3, is_right=not is_right) == [True, True, False]


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        (login("anna"), login("bert"), False),
        (login("anna"), host("192.0.2.1"), False),
        (
            Requester(login("anna").login, ipaddress.ip_address("192.0.2.1")),
            Requester(login("anna").login, ipaddress.ip_address("198.51.100.1")),
            True,
        ),
        (host("192.0.2.1"), host("192.0.2.2"), False),
        (host("2001:db8::1"), host("2001:db8::2"), True),
        (host("2001:db8::1"), host("2001:db8:0:1::1"), False),
        (Requester(), Requester(), True),
    ],
    ids=["logins", "login and host", "one login", "IPv4", "one /64", "two /64", "no address"],
)
def test_requests_are_counted_by_login_and_without_one_by_address_block(
    first: Requester, second: Requester, share: bool
) -> None:
    scene = Scene()
    scene.take(first, LIMIT)
    assert scene.take(second) == [not share]


def test_the_operator_is_not_counted() -> None:
    scene, operator = Scene(), Requester(is_operator=True)
    assert all(scene.take(operator, 5 * LIMIT))
    assert scene.allowance.has_left(operator, is_right=False)


def test_looking_takes_nothing() -> None:
    scene = Scene()
    for _ in range(5):
        assert scene.allowance.has_left(login("anna"), is_right=True)
    scene.take(login("anna"), LIMIT)
    assert not scene.allowance.has_left(login("anna"), is_right=True)
    assert scene.allowance.has_left(login("anna"), is_right=False)


def test_a_minute_later_all_may_be_asked_again() -> None:
    scene = Scene()
    scene.take(login("anna"), LIMIT)
    scene.now = 60.0
    assert scene.take(login("anna"), 3) == [True, True, False]


def test_a_raised_limit_gives_nothing_back_that_was_used() -> None:
    scene = Scene()
    scene.take(login("anna"), LIMIT)
    scene.allowance.set_limit(LIMIT + 1)
    assert scene.take(login("anna")) == [False]
    assert scene.take(login("bert"), 4) == [True, True, True, False]
    assert scene.take(login("anna"), 4, is_right=False) == [True, True, True, False]


def test_a_lowered_limit_holds_at_once() -> None:
    scene = Scene()
    scene.allowance.set_limit(1)
    assert scene.take(login("anna"), 2) == [True, False]


def test_the_tokens_of_an_account_are_counted_together() -> None:
    scene = Scene()
    token = Requester(is_operator=True, acting=actor_named("token a (alpha)"), only_account="alpha")
    other = Requester(is_operator=True, acting=actor_named("token b (alpha)"), only_account="alpha")
    foreign = Requester(is_operator=True, acting=actor_named("token a (beta)"), only_account="beta")
    scene.take(token, LIMIT)
    assert (scene.take(other), scene.take(foreign)) == ([False], [True])
