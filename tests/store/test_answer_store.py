"""The account of the owner of a key."""

import pytest

from restante.store.answer_store import account_of_key_owner


@pytest.mark.parametrize(
    ("key_owner", "account"),
    [("alpha\naccount\ntoken ci\n1", "alpha"), ("\noperator\nroot\n", ""), ("anna", "")],
    ids=["account", "operator", "no line end"],
)
def test_the_first_line_of_a_key_owner_is_its_account(key_owner: str, account: str) -> None:
    assert account_of_key_owner(key_owner) == account
