"""Places of requests: in all, of one account or operator, and of the portal."""

from contextlib import ExitStack

import pytest

from restante.tenancy.actor import Actor, ActorKind
from restante.tenancy.principal import Principal, Role
from restante.web.request_places import (
    IN_ALL,
    OF_ONE,
    OF_PORTAL,
    PORTAL,
    NoPlace,
    PlaceKind,
    RequestPlaces,
    place_owner,
)


def taken(places: RequestPlaces, kind: PlaceKind, whose: str, stack: ExitStack) -> int:
    """Take places until there is none, and return how many there were."""
    for count in range(1000):
        try:
            stack.enter_context(places.place(kind, whose))
        except NoPlace:
            return count
    return 1000


@pytest.mark.parametrize("kind", list(PlaceKind))
def test_one_has_some_and_all_together_have_more(kind: PlaceKind) -> None:
    places = RequestPlaces()
    with ExitStack() as stack:
        assert taken(places, kind, "alpha", stack) == OF_ONE[kind]
        others = sum(taken(places, kind, f"other{n}", stack) for n in range(9))
        assert others == IN_ALL[kind] - OF_ONE[kind]
        assert not places.are_free
    assert places.are_free


def test_kinds_do_not_take_each_other_s_places() -> None:
    places = RequestPlaces()
    with ExitStack() as stack:
        for kind in PlaceKind:
            assert taken(places, kind, "alpha", stack) == OF_ONE[kind]


def test_the_portal_has_more_at_work_and_bodies_without_a_place() -> None:
    places = RequestPlaces()
    with ExitStack() as stack:
        assert taken(places, PlaceKind.WORK, PORTAL, stack) == OF_PORTAL
        assert taken(places, PlaceKind.BODY, PORTAL, stack) == 1000
        assert taken(places, PlaceKind.BODY, "alpha", stack) == OF_ONE[PlaceKind.BODY]


def test_operators_count_by_their_tokens_and_customers_by_their_account() -> None:
    customers = [
        Principal(Role.ACCOUNT, Actor(ActorKind.TOKEN, f"{n} (alpha)"), "192.0.2.1", "alpha")
        for n in (1, 2)
    ]
    assert {place_owner(one) for one in customers} == {"alpha"}
    operators = [
        Principal(Role.OPERATOR, Actor(ActorKind.TOKEN, str(n)), "192.0.2.1") for n in (1, 2)
    ]
    assert len({place_owner(one) for one in operators} | {"alpha", PORTAL}) == 4
