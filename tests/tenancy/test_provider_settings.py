from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.provider_settings import RoleRule, rule_for

ADMINS = RoleRule("admins", GrantedRole.OPERATOR)
ALPHA = RoleRule("alpha", GrantedRole.ACCOUNT_ADMIN, "alpha", (Scope.CONTENT_READ,))


def test_the_first_group_of_the_rules_decides() -> None:
    assert rule_for([ADMINS, ALPHA], ["alpha", "admins"]) is ADMINS
    assert rule_for([ALPHA, ADMINS], ["admins", "alpha"]) is ALPHA
    assert rule_for([ADMINS, ALPHA], ["alpha"]) is ALPHA


def test_without_a_group_there_is_no_right() -> None:
    for groups in ([], ["Admins"], ["admins "], ["other"]):
        assert rule_for([ADMINS, ALPHA], groups) is None
    assert rule_for([], ["admins"]) is None


def test_a_rule_grants_its_role_and_scopes() -> None:
    assert ALPHA.grants == {GrantedRole.ACCOUNT_ADMIN, Scope.CONTENT_READ}
