"""Rows of tokens: a grant of a later version gives nothing."""

from restante.store.stored_form.token_rows import api_token, token_row
from restante.tenancy.api_token import ApiToken
from restante.tenancy.grants import Scope

TOKEN = ApiToken("k3v9x0q2ma", "", "ci", b"hash", frozenset({Scope.RELEASE}), "operator", 1.0)


def test_a_token_is_read_as_it_was_written() -> None:
    assert api_token(token_row(TOKEN)) == TOKEN


def test_an_unknown_grant_gives_nothing() -> None:
    row = list(token_row(TOKEN))
    row[4] = '["release", "everything:write"]'
    assert api_token(tuple(row)) == TOKEN
