"""Actors: their stored form, and the filters that find them."""

import pytest

from restante.tenancy.actor import Actor, ActorKind, actors_named, read_actor


@pytest.mark.parametrize(
    ("actor", "text"),
    [
        (Actor(ActorKind.LOGIN, "anna"), "login anna"),
        (Actor(ActorKind.TOKEN, "ci (alpha)"), "token ci (alpha)"),
        (Actor(ActorKind.ANONYMOUS), "anonymous"),
        (Actor(ActorKind.OPERATOR), "operator"),
    ],
)
def test_an_actor_is_stored_as_one_text_and_read_again(actor: Actor, text: str) -> None:
    assert actor.text == text
    assert read_actor(text) == actor


@pytest.mark.parametrize("text", ["", "an earlier drain", "anna", "logins anna"])
def test_another_text_names_no_actor(text: str) -> None:
    assert read_actor(text) is None


@pytest.mark.parametrize(
    ("given", "text", "is_found"),
    [
        ("login anna", "login anna", True),
        ("anna", "login anna", True),
        ("login", "login anna", True),
        ("anonymous", "anonymous", True),
        ("ci (alpha)", "token ci (alpha)", True),
        ("ci", "token ci (alpha)", False),
        ("ann", "login anna", False),
        ("log", "login anna", False),
        ("login ann", "login anna", False),
        ("anna", "login hanna", False),
    ],
)
def test_a_filter_takes_the_text_the_name_or_the_kind(
    given: str, text: str, *, is_found: bool
) -> None:
    assert actors_named(given).accepts(text) is is_found
