"""Actors as tests write them."""

from restante.tenancy.actor import Actor, read_actor


def actor_named(text: str) -> Actor:
    """Return the actor of a stored text."""
    actor = read_actor(text)
    assert actor is not None, text
    return actor
