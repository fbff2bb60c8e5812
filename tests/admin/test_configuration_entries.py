"""Entries are read from lines of JSON; errors name place, thing and field, and no value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.configuration_entries import (
    MAX_PROBLEMS,
    EntryProblem,
    NotApplicable,
    WantedRecords,
    read_entry,
)


def wanted(*entries: dict[str, Any]) -> WantedRecords:
    found = WantedRecords()
    for entry in entries:
        found.add_line(json.dumps(entry).encode())
    return found


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("x", "entry: a line is not JSON; write an object to a line"),
        ("[" * 100_000, "entry: a line is not JSON"),
        ("[]", "entry: its thing is not known"),
        ('{"thing": "user"}', "one of account, login, domain, addresses, channel"),
        ('{"thing": []}', "entry: its thing is not known"),
        ('{"thing": "account"}', "account: name: field required"),
        ('{"thing": "account", "name": "a", "notes": ""}', "account a: notes: is not a setting"),
        (
            '{"thing": "domain", "name": "d", "accounts": "a", "retention": "x"}',
            "domain d: accounts: is not a setting; did you mean account?",
        ),
        (
            '{"thing": "login", "user": "one", "account": "a", "password": 12345678}',
            "login one: password: input should be a valid string",
        ),
        (
            '{"thing": "domain", "name": "d", "account": "a", "place": "x.toml:7", "hold": "no"}',
            "x.toml:7: domain d: hold: input should be 'until-asked'",
        ),
        (
            '{"thing": "channel", "name": "c", "kinds": ["no"]}',
            "channel c: kinds: input should be",
        ),
    ],
)
def test_a_faulty_line_is_refused_with_its_place(line: str, text: str) -> None:
    with pytest.raises(AdminError) as caught:
        read_entry(line.encode())
    assert text in str(caught.value)
    assert caught.value.kind is ErrorKind.INVALID
    assert "12345678" not in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["thing", "name", "user", "place", "x"]), inner)
        ),
        max_leaves=8,
    )
)
def test_whatever_a_line_has_it_is_an_entry_or_a_problem(value: object) -> None:
    found = WantedRecords()
    found.add_line(json.dumps(value).encode())
    assert len(found.problems) == 1 or found.named_accounts


def test_the_accounts_that_are_named() -> None:
    found = wanted(
        {"thing": "account", "name": "a"},
        {"thing": "login", "user": "one", "account": "b"},
        {"thing": "domain", "name": "D.example", "account": "c"},
        {"thing": "channel", "name": "own"},
    )
    assert found.named_accounts == {"a", "b", "c", ""}
    assert list(found.domains) == ["d.example"]


def test_a_domain_is_the_same_in_any_case_and_more_addresses_follow_it() -> None:
    domain = {"thing": "domain", "name": "D.example", "account": "a", "addresses": ["x"]}
    more = {"thing": "addresses", "name": "d.example", "addresses": ["y", "z"]}
    assert wanted(domain, more, more).addresses == {"d.example": ["x", "y", "z", "y", "z"]}
    [twice] = wanted(domain, {**domain, "name": "d.EXAMPLE"}).problems
    assert twice.text == "domain d.EXAMPLE: is named twice"
    [early] = wanted(more).problems
    assert early.text == "domain d.example: has no entry before its addresses"
    [bad] = wanted({**domain, "name": "d..e"}).problems
    assert bad.text.startswith("domain d..e: ")


def test_a_hundred_errors_are_told_and_the_others_counted() -> None:
    problem = EntryProblem(ErrorKind.INVALID, "domain x: wrong", "mend it")
    error = NotApplicable([problem] * (MAX_PROBLEMS + 2))
    assert len(error.problems) == MAX_PROBLEMS + 1
    assert error.problems[-1] == "2 more errors; correct these first"
    assert (error.error, error.remedy) == ("domain x: wrong", "mend it")
