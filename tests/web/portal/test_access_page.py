"""Logins, tokens and recipients."""

import asyncio

from pydantic import SecretStr

from restante.admin.logins import NewLogin, add_login
from restante.admin.recipient_lists import RecipientChange, change_recipients
from restante.admin.tokens import NewToken, add_token
from restante.tenancy.grants import Scope
from tests.admin.desk import Desk
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, visit

PASSWORD = "a-very-secret-password"


def with_access() -> Desk:
    desk = hosting()

    async def story() -> None:
        login = NewLogin(user="alpha-mail", password=SecretStr(PASSWORD))
        await add_login(desk.context, "alpha", login)
        new = NewToken(account="alpha", name="ci", scopes=(Scope.RELEASE,))
        await add_token(desk.context, new)
        names = RecipientChange(add=("postmaster", "anna"))
        await change_recipients(desk.context, "alpha.example", names)

    asyncio.run(story())
    return desk


def test_an_account_sees_its_logins_and_tokens_without_secrets() -> None:
    desk = with_access()
    text = visit(desk, "/access", ALPHA).text
    assert "alpha-mail" in text
    assert "ci" in text
    assert "release" in text
    assert PASSWORD not in text
    assert "rst_" not in text
    assert "alpha-mail" not in visit(desk, "/access", BETA).text
    assert visit(desk, "/access?account=alpha", BETA).status_code == 404


def test_an_operator_chooses_an_account() -> None:
    desk = with_access()
    assert "alpha-mail" not in visit(desk, "/access", OPERATOR).text
    assert "alpha-mail" in visit(desk, "/access?account=alpha", OPERATOR).text


def test_recipients_can_be_found_by_a_part_of_their_name() -> None:
    desk = with_access()
    text = visit(desk, "/domains/alpha.example/recipients", ALPHA).text
    assert "postmaster" in text
    assert "anna" in text
    found = visit(desk, "/domains/alpha.example/recipients?find=POST", ALPHA).text
    assert "postmaster" in found
    assert "anna</th>" not in found
