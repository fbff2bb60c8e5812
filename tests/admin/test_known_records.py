"""Records as they are stored are found as far as the principal sees them."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.known_records import known_account, known_domain
from restante.tenancy.principal import account_login
from tests.admin.admin_world import AdminWorld, run

BETA = account_login("beta-mail", "beta", "192.0.2.1")


def test_a_record_is_returned_as_the_directory_has_it() -> None:
    admin = AdminWorld()
    run(admin.host("alpha.example", "alpha"))
    directory = admin.context.directory.now
    assert known_domain(admin.context, "ALPHA.example") is directory.domains["alpha.example"]
    assert known_account(admin.context, "alpha") is directory.accounts["alpha"]


def test_another_accounts_record_does_not_exist() -> None:
    admin = AdminWorld()
    run(admin.host("alpha.example", "alpha"))
    with pytest.raises(AdminError) as raised:
        known_domain(admin.context.acting(BETA), "alpha.example")
    assert raised.value.kind is ErrorKind.NOT_FOUND
