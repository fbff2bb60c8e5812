"""The account of an actor is the holder of its kept answers."""

import pytest

from restante.store.answer_store import holder_of


@pytest.mark.parametrize(
    ("actor", "holder"),
    [("alpha\naccount\ntoken ci\n1", "alpha"), ("\noperator\nroot\n", ""), ("anna", "")],
    ids=["account", "operator", "no line end"],
)
def test_the_first_line_of_an_actor_is_the_holder(actor: str, holder: str) -> None:
    assert holder_of(actor) == holder
