"""Logins and tokens."""

import asyncio

from pydantic import SecretStr

from restante.admin.logins import NewLogin, add_login
from restante.admin.tokens import NewToken, add_token
from restante.tenancy.grants import Scope
from tests.admin.admin_world import AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit

PASSWORD = "a-very-secret-password"


def with_access() -> AdminWorld:
    admin = hosting()

    async def story() -> None:
        login = NewLogin(user="alpha-mail", password=SecretStr(PASSWORD))
        await add_login(admin.context, "alpha", login)
        new = NewToken(account="alpha", name="ci", scopes=(Scope.RELEASE,))
        await add_token(admin.context, new)

    asyncio.run(story())
    return admin


def test_an_account_sees_its_logins_and_tokens_without_secrets() -> None:
    admin = with_access()
    text = visit(admin, "/access", ALPHA).text
    assert "alpha-mail" in text
    assert "ci" in text
    assert "release" in text
    assert PASSWORD not in text
    assert "rst_" not in text
    assert "alpha-mail" not in visit(admin, "/access", BETA).text
    assert visit(admin, "/access?account=alpha", BETA).status_code == 404


def test_an_operator_chooses_an_account() -> None:
    admin = with_access()
    text = visit(admin, "/access", OPERATOR).text
    assert "alpha-mail" not in text
    assert "Logins are listed for one account at a time." in text
    assert "Tokens of all accounts, and of operators" in text
    text = visit(admin, "/access?account=alpha", OPERATOR).text
    assert "alpha-mail" in text
    assert "of all accounts" not in text
