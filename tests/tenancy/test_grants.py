"""Roles and scopes by their names."""

import pytest

from restante.tenancy.grants import ALL_GRANTS, GrantedRole, Scope, parse_grant


def test_each_grant_is_found_by_its_name() -> None:
    assert [parse_grant(str(one)) for one in ALL_GRANTS] == list(ALL_GRANTS)


@pytest.mark.parametrize("text", ["", "queue", "queue:", "QUEUE:READ", "operator ", "nobody"])
def test_other_names_grant_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="not a valid"):
        parse_grant(text)


def test_no_role_has_the_name_of_a_scope() -> None:
    assert {str(one) for one in GrantedRole} & {str(one) for one in Scope} == set()


def test_platform_actions_are_for_operators_only() -> None:
    assert [one for one in ALL_GRANTS if one.is_of_operators] == [
        GrantedRole.OPERATOR,
        GrantedRole.OPERATOR_READER,
        Scope.ACCOUNT_WRITE,
        Scope.CONTENT_WRITE,
        Scope.PERSON_WRITE,
        Scope.SERVER_READ,
        Scope.STORE_WRITE,
    ]
