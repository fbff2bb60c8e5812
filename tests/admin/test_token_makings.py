"""The records that a stolen token leaves behind."""

from dataclasses import replace

import pytest
from pydantic import SecretStr

from restante.admin import token_makings
from restante.admin.auditing import moment
from restante.admin.channels import add_channel, remove_channel
from restante.admin.logins import LoginChange, NewLogin, add_login, change_login
from restante.admin.portal_users import (
    NewPortalUser,
    PortalUserChange,
    change_user,
    invite_user,
)
from restante.admin.token_makings import list_makings
from restante.admin.tokens import AddedToken, NewToken, add_token, revoke_token
from restante.store.audit_store import AuditPage
from restante.tenancy.api_token import MadeKind
from restante.tenancy.audit import AuditFilter
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.portal_user import user_principal
from restante.tenancy.token_chain import token_principal
from tests.admin.admin_world import AdminWorld, run
from tests.admin.channel_making import mail
from tests.admin.test_tokens import acting

ADMIN = NewToken(name="stolen", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
PASSWORD = SecretStr("a-very-secret-password")


async def used() -> tuple[AdminWorld, AddedToken]:
    """Return a world in which a token was used to stay: also by a token that it made."""
    admin = AdminWorld()
    admin.set(portal_url=lambda: "https://r.example")
    await admin.host("alpha.example", "alpha")
    await add_login(admin.context, "alpha", NewLogin(user="primary", password=PASSWORD))
    await add_login(admin.context, "alpha", NewLogin(user="untouched", password=PASSWORD))
    stolen = await add_token(admin.context, ADMIN)
    thief = acting(admin, stolen)
    second = await add_token(thief, ADMIN.model_copy(update={"name": "second"}))
    new = NewPortalUser(email="t@x.example", account="", role=GrantedRole.ACCOUNT_ADMIN)
    await invite_user(acting(admin, second), new)
    await add_login(thief, "alpha", NewLogin(user="thief", password=PASSWORD))
    await change_login(thief, "alpha", "primary", LoginChange(password=SecretStr("b" * 20)))
    await add_channel(thief, mail("t@x.example", "listens"))
    await add_channel(thief, mail("t@x.example", "gone"))
    await remove_channel(admin.context, "alpha", "gone", "seen")
    return admin, stolen


def test_what_lives_on_is_listed_after_the_token_was_revoked() -> None:
    async def story() -> None:
        admin, stolen = await used()
        kinds = [one.kind for one in (await list_makings(admin.context, stolen.id)).records]
        assert MadeKind.TOKEN in kinds
        await revoke_token(admin.context, stolen.id, "stolen")
        made = await list_makings(admin.context, stolen.id)
        assert made.is_complete
        assert {(one.kind, one.name, one.was_added, one.by) for one in made.records} == {
            ("user", "t@x.example", True, "token second (alpha)"),
            ("login", "thief", True, "token stolen (alpha)"),
            ("login", "primary", False, "token stolen (alpha)"),
            ("channel", "listens", True, "token stolen (alpha)"),
        }

    run(story())


def test_a_later_token_of_that_name_is_another() -> None:
    async def story() -> None:
        admin, stolen = await used()
        await revoke_token(admin.context, stolen.id, "stolen")
        later = replace(admin.context, now=lambda: admin.context.now() + 60)
        again = await add_token(later, ADMIN)
        assert (await list_makings(later, again.id)).records == []
        directory = admin.context.directory.now
        principal = token_principal(directory.tokens[again.id], directory, "192.0.2.1")
        await add_channel(later.acting(principal), mail("ops@x.example", "honest"))
        names = [one.name for one in (await list_makings(later, stolen.id)).records]
        assert "honest" not in names

    run(story())


def test_only_kinds_that_the_principal_may_list_are_shown() -> None:
    async def story() -> None:
        admin, stolen = await used()
        new = NewToken(name="tokens", account="alpha", scopes=(Scope.TOKEN_WRITE,))
        limited = acting(admin, await add_token(admin.context, new))
        made = await list_makings(limited, stolen.id)
        assert {one.kind for one in made.records} == {MadeKind.TOKEN}

    run(story())


def test_too_many_entries_are_said_to_be_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_makings, "MOST_READ", 1)

    async def story() -> None:
        admin, stolen = await used()
        assert not (await list_makings(admin.context, stolen.id)).is_complete

    run(story())


def test_a_long_trail_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        admin, stolen = await used()
        whole = await list_makings(admin.context, stolen.id)
        audit = admin.store.audit
        read = audit.audit_page

        async def short(wanted: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
            return await read(wanted, min(limit, 1), before)

        monkeypatch.setattr(audit, "audit_page", short)
        assert await list_makings(admin.context, stolen.id) == whole
        monkeypatch.setattr(token_makings, "PATIENCE", 0.0)
        assert not (await list_makings(admin.context, stolen.id)).is_complete

    run(story())


def test_a_token_that_expired_made_nothing_afterwards() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await admin.host("alpha.example", "alpha")
        end = moment(admin.context.now() + 600)
        first = await add_token(admin.context, ADMIN.model_copy(update={"expires_at": end}))
        later = replace(admin.context, now=lambda: admin.context.now() + 3600)
        again = await add_token(later, ADMIN)
        directory = admin.context.directory.now
        principal = token_principal(directory.tokens[again.id], directory, "192.0.2.1")
        await add_channel(later.acting(principal), mail("ops@x.example", "honest"))
        assert (await list_makings(later, first.id)).records == []

    run(story())


def test_a_user_whose_rights_were_changed_is_not_followed() -> None:
    async def story() -> None:
        admin, stolen = await used()
        new = NewPortalUser(email="ana@x.example", account="alpha", role=GrantedRole.ACCOUNT_READER)
        await invite_user(admin.context, new)
        more = PortalUserChange(role=GrantedRole.ACCOUNT_ADMIN)
        await change_user(acting(admin, stolen), new.email, more)
        ana = user_principal(admin.context.directory.now.portal_users[new.email], "192.0.2.1")
        await add_channel(admin.context.acting(ana), mail("ana@x.example", "hers"))
        records = (await list_makings(admin.context, stolen.id)).records
        found = {(one.kind, one.name): one.was_added for one in records}
        assert found[MadeKind.USER, "ana@x.example"] is False
        assert (MadeKind.CHANNEL, "hers") not in found

    run(story())
