"""Logins and tokens."""

import asyncio
import html
import re

import pytest
from pydantic import SecretStr

from restante.admin.logins import NewLogin, add_login
from restante.admin.tokens import NewToken, add_token
from restante.tenancy.grants import Scope
from restante.web.portal import access_page
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


def test_every_token_and_every_login_is_on_some_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each table has its own pages, and the other table stays where it is."""
    monkeypatch.setattr(access_page, "ROWS", 2)
    admin = with_access()

    async def story() -> None:
        for number in range(4):
            new = NewToken(account="alpha", name=f"ci{number}", scopes=(Scope.RELEASE,))
            await add_token(admin.context, new)
        for number in range(2):
            login = NewLogin(user=f"alpha-mail{number}", password=SecretStr(PASSWORD))
            await add_login(admin.context, "alpha", login)

    asyncio.run(story())
    tokens: list[str] = []
    path: str | None = "/access?after=alpha-mail"
    while path is not None:
        text = visit(admin, path, ALPHA).text
        logins_text, _, tokens_text = text.partition('id="tokens"')
        assert "alpha-mail1" in logins_text
        tokens += re.findall(r"<tr><th scope=\"row\">(\S+)", tokens_text)
        more = re.search(r'href="(\?[^"]*)">More tokens', tokens_text)
        path = f"/access{html.unescape(more[1])}" if more else None
    assert tokens == ["ci", "ci0", "ci1", "ci2", "ci3"]
    more = re.search(r'href="(\?[^"]*)">More logins', visit(admin, "/access", ALPHA).text)
    assert more is not None
    assert more[1] == "?account=alpha&amp;after=alpha-mail0"


def test_each_right_is_a_box_with_a_line_of_explanation() -> None:
    text = visit(hosting(), "/access", ALPHA).text
    assert '<input type="checkbox" name="grant" value="release">' in text
    assert "ask for held mail, as an ETRN does" in text
    assert 'value="store:write"' not in text
    assert "<select name=" not in text
