"""Logins and tokens by forms: with a factor only, and each secret is shown once."""

import asyncio
import html
import re
from dataclasses import replace
from typing import Any

import pytest

from restante.admin import token_makings
from restante.admin.channels import add_channel
from restante.admin.tokens import NewToken, add_token
from restante.store.audit_store import AuditPage
from restante.tenancy.api_token import read_token
from restante.tenancy.audit import AuditFilter
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.token_chain import token_principal
from restante.web.portal.own_path import keep_path
from tests.admin.admin_world import NOW, AdminWorld
from tests.admin.channel_making import mail
from tests.web.portal.visitors import ALPHA, BETA, OPERATOR, hosting, user_of, visit

SECRET = re.compile(r"<pre><code>([^<]+)</code></pre>")
LOGIN = {"user": "alpha-mail"}
TOKEN: dict[str, Any] = {"name": "ci", "grant": ["release", "queue:read"], "days": "30"}


def login_of(admin: AdminWorld) -> Any:
    return admin.context.directory.now.logins.get("alpha-mail")


def token_of(admin: AdminWorld) -> Any:
    return next(iter(admin.context.directory.now.tokens.values()), None)


def test_a_login_is_added_changed_and_removed() -> None:
    admin = hosting()
    page = visit(admin, "/access/logins", form=LOGIN)
    [password] = SECRET.findall(page.text)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    first = login_of(admin)
    assert first.account == "alpha"
    assert password not in visit(admin, "/access").text
    again = visit(admin, "/access/logins/password", form=LOGIN)
    [second] = SECRET.findall(again.text)
    assert second != password
    assert login_of(admin).prior is not None
    gone = visit(admin, "/access/logins/remove", form=LOGIN | {"reason": "left"})
    assert gone.headers["location"] == "/access?account=alpha"
    assert login_of(admin) is None


def test_a_token_is_added_and_revoked() -> None:
    admin = hosting()
    page = visit(admin, "/access/tokens", form=TOKEN | {"domains": "alpha.example"})
    [text] = SECRET.findall(page.text)
    token = token_of(admin)
    parts = read_token(text)
    assert parts is not None
    assert token.has_secret(parts.secret)
    assert token.grants == {Scope.RELEASE, Scope.QUEUE_READ}
    assert (token.domains, token.expires_at) == (("alpha.example",), NOW + 30 * 86400)
    assert token.maker == "anna@x.example"
    assert parts.secret not in visit(admin, "/access").text
    form = {"id": token.id, "reason": "left"}
    assert visit(admin, "/access/tokens/revoke", form=form).status_code == 303
    assert token_of(admin).revoked_at == NOW


def test_after_a_token_is_revoked_the_records_that_live_on_are_shown() -> None:
    admin = hosting()
    new = NewToken(name="ci", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
    asyncio.run(add_token(admin.context, new))
    token, directory = token_of(admin), admin.context.directory.now
    thief = admin.context.acting(token_principal(token, directory, "192.0.2.1"))
    asyncio.run(add_channel(thief, mail("t@x.example", "listens")))
    form = {"id": token.id, "reason": "stolen"}
    shown = visit(admin, "/access/tokens/revoke", form=form).headers["location"]
    assert shown == f"/access/tokens/made?account=alpha&id={token.id}"
    page = visit(admin, shown)
    assert "listens" in page.text
    assert "notice channel" in page.text
    assert html.escape(shown) in visit(admin, "/access").text
    assert visit(admin, shown, BETA).status_code == 404


def test_a_list_that_may_lack_records_is_shown_also_if_it_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = hosting()
    new = NewToken(name="ci", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
    asyncio.run(add_token(admin.context, new))
    token, audit = token_of(admin), admin.store.audit
    read = audit.audit_page

    async def too_long(wanted: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
        return replace(await read(wanted, limit, before), before=1)

    monkeypatch.setattr(audit, "audit_page", too_long)
    monkeypatch.setattr(token_makings, "PATIENCE", 0.0)
    form = {"id": token.id, "reason": "stolen"}
    shown = visit(admin, "/access/tokens/revoke", form=form).headers["location"]
    assert shown == f"/access/tokens/made?account=alpha&id={token.id}"
    text = visit(admin, shown).text
    assert "There may be more" in text
    assert "Nothing that it made" not in text


def test_an_operator_makes_its_own_token() -> None:
    admin = hosting()
    visit(admin, "/access/tokens", OPERATOR, form={"name": "watch", "grant": "operator-reader"})
    assert (token_of(admin).account, token_of(admin).grants) == (
        "",
        {GrantedRole.OPERATOR_READER},
    )


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/access/logins", LOGIN),
        ("/access/logins/password", LOGIN),
        ("/access/logins/remove", LOGIN | {"reason": "x"}),
        ("/access/tokens", TOKEN),
        ("/access/tokens/revoke", {"id": "x", "reason": "x"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_needs_a_recent_factor_and_the_right(path: str, form: dict[str, Any]) -> None:
    admin = hosting()
    before = admin.context.directory.now
    answer = visit(admin, path, form=form, fresh_until=NOW - 1)
    assert answer.headers["location"] == keep_path(f"/repeat?to={path}", "/access?account=alpha")
    reader = user_of("alpha", GrantedRole.ACCOUNT_READER)
    assert visit(admin, path, reader, form=form).status_code == 403
    foreign = form | {"account": "alpha"}
    assert visit(admin, path, BETA, form=foreign).status_code == 404
    assert admin.context.directory.now == before


def test_the_forms_are_there_only_with_a_factor_and_the_right() -> None:
    admin = hosting()
    visit(admin, "/access/logins", form=LOGIN)
    visit(admin, "/access/tokens", form=TOKEN)
    paths = ("/access/logins/remove", "/access/tokens/revoke", 'action="/access/tokens"')
    assert all(path in visit(admin, "/access").text for path in paths)
    stale = visit(admin, "/access", fresh_until=NOW - 1).text
    reader = visit(admin, "/access", user_of("alpha", GrantedRole.ACCOUNT_READER)).text
    for text in (stale, reader):
        assert not any(path in text for path in paths)
    assert "confirm first that it is you" in stale
    assert "confirm first that it is you" not in reader


def test_only_rights_that_the_user_has_are_offered() -> None:
    text = visit(hosting(), "/access", ALPHA).text
    offered = re.findall(r'name="grant" value="([^"]+)"', text)
    assert {"account-admin", "release"} <= set(offered)
    assert not {"operator", "domain:direct", "content:read", "store:write"} & set(offered)


@pytest.mark.parametrize(
    "wrong",
    [{"grant": "root"}, {"days": "0"}, {"days": "²"}, {"days": "9" * 50}, {"name": "x" * 2000}],
    ids=["grant", "no days", "superscript", "many days", "name"],
)
def test_odd_values_are_refused(wrong: dict[str, str]) -> None:
    admin = hosting()
    assert visit(admin, "/access/tokens", form=TOKEN | wrong).status_code == 422
    assert token_of(admin) is None
