from restante.store.stored_form.portal_user_rows import portal_user, portal_user_row
from restante.tenancy.grants import GrantedRole
from restante.tenancy.portal_user import PortalPasskey
from tests.contract.test_portal_users import ANA, ROOT


def test_a_user_is_read_as_it_was_written() -> None:
    assert portal_user(portal_user_row(ANA)) == ANA
    assert portal_user(portal_user_row(ROOT)) == ROOT


def test_a_grant_that_this_version_does_not_know_grants_nothing() -> None:
    row = list(portal_user_row(ROOT))
    row[2] = '["emperor", "operator-reader"]'
    assert portal_user(tuple(row)).grants == {GrantedRole.OPERATOR_READER}


def test_a_passkey_of_a_row_without_a_last_use_was_not_used() -> None:
    row = list(portal_user_row(ROOT))
    row[10] = '[["0300", "key", 7, 5.0]]'
    assert portal_user(tuple(row)).passkeys == (PortalPasskey(b"\3\0", "key", 7, 5.0),)
