"""Users of the portal: invited once, limited by the rights of their inviters."""

import re

import pytest

from restante.admin import accounts, portal_users, tokens
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.portal_users import (
    InvitedUser,
    NewPortalUser,
    PortalUserChange,
)
from restante.admin.tokens import NewToken
from restante.tenancy.api_token import TokenState
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import Grant, GrantedRole, Scope
from restante.tenancy.portal_user import user_principal
from restante.tenancy.portal_user_state import PortalUserState, SecondFactor
from restante.tenancy.token_chain import state_of, token_principal
from tests.admin.admin_world import NOW, AdminWorld, run

ADMIN = NewPortalUser(email="Ana@Alpha.example", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
ROOT = NewPortalUser(email="root@mx.example", role=GrantedRole.OPERATOR)
EMAIL = "ana@alpha.example"


async def admin_of_alpha() -> AdminWorld:
    admin = AdminWorld()
    await admin.host("alpha.example", "alpha")
    return admin


def as_user(admin: AdminWorld, email: str) -> AdminContext:
    user = admin.context.directory.now.portal_users[email]
    return admin.context.acting(user_principal(user, "192.0.2.1"))


async def as_new_user(admin: AdminWorld, email: str, *grants: Grant) -> AdminContext:
    role = next(one for one in grants if isinstance(one, GrantedRole))
    scopes = tuple(one for one in grants if isinstance(one, Scope))
    account = "" if role.is_of_operators else "alpha"
    new = NewPortalUser(email=email, account=account, role=role, scopes=scopes)
    await portal_users.invite_user(admin.context, new)
    return as_user(admin, email)


async def signed_up(admin: AdminWorld, email: str) -> None:
    user = admin.context.directory.now.portal_users[email]
    entry = (await admin.store.audit.audit())[0]
    await admin.store.records.put_portal_user(
        user.changed(password_hash="$", invitation=None, sealed_totp=b"x"), entry
    )
    await admin.context.directory.refresh()


async def refused(context: AdminContext, new: NewPortalUser) -> AdminError:
    before = context.directory.now.portal_users
    with pytest.raises(AdminError) as caught:
        await portal_users.invite_user(context, new)
    assert context.directory.now.portal_users == before
    return caught.value


def secret_of(invited: InvitedUser) -> str:
    return invited.link.rpartition("/")[2]


def test_a_link_is_shown_once_and_only_its_hash_is_kept() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        invited = await portal_users.invite_user(admin.context, ADMIN)
        secret = secret_of(invited)
        assert re.fullmatch(r"/invitation/[A-Za-z0-9_-]{43}", invited.link)
        kept = admin.context.directory.now.portal_users[EMAIL]
        assert kept.is_invited_by(secret, NOW + 1799)
        assert not kept.is_invited_by(secret, NOW + 1800)
        [listed] = await portal_users.list_users(admin.context, "alpha")
        told = [listed.model_dump_json(), repr(kept), repr(admin.log.lines)]
        told += [repr(one) for one in await admin.store.audit.audit()]
        assert not any(secret in text for text in told)

    run(story())


def test_a_user_is_listed_with_its_state() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)
        [listed] = await portal_users.list_users(admin.context)
        assert (listed.email, listed.state) == (EMAIL, PortalUserState.INVITED)
        assert listed.scopes == [Scope.DOMAIN_DIRECT, Scope.CONTENT_READ]
        await signed_up(admin, EMAIL)
        [listed] = await portal_users.list_users(admin.context)
        assert listed.state is PortalUserState.ACTIVE
        assert listed.second_factors == [SecondFactor.ONE_TIME_CODE]
        assert await portal_users.list_users(admin.context, "") == []

    run(story())


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (ADMIN.model_copy(update={"email": "ana@alpha.example\r\nBcc: x"}), "not an email"),
        (ADMIN.model_copy(update={"role": GrantedRole.OPERATOR}), "only for a user of an operator"),
        (ROOT.model_copy(update={"role": GrantedRole.ACCOUNT_ADMIN}), "only for a user of an acc"),
        (ADMIN.model_copy(update={"scopes": (Scope.STORE_WRITE,)}), "not for users"),
        (ADMIN.model_copy(update={"account": "gamma"}), "does not exist"),
    ],
    ids=["header", "operator in an account", "admin of no account", "scope", "unknown account"],
)
def test_a_wrong_invitation_is_refused(new: NewPortalUser, words: str) -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        error = await refused(admin.context, new)
        assert words in error.error

    run(story())


def test_nobody_gives_more_than_it_has() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        administrator = await as_new_user(admin, "a@alpha.example", GrantedRole.ACCOUNT_ADMIN)
        scopes = (Scope.CONTENT_READ,)
        more = NewPortalUser(
            email="b@alpha.example", account="alpha", role=GrantedRole.ACCOUNT_READER, scopes=scopes
        )
        assert (await refused(administrator, more)).kind is ErrorKind.NOT_ALLOWED
        assert (await refused(administrator, ROOT)).kind is ErrorKind.INVALID  # in its own account
        invited = await portal_users.invite_user(administrator, ADMIN)
        assert (invited.role, invited.scopes) == (GrantedRole.ACCOUNT_ADMIN, [])
        operator = await as_new_user(admin, "o@mx.example", GrantedRole.OPERATOR)
        assert (await refused(operator, more)).kind is ErrorKind.NOT_ALLOWED
        reader = await as_new_user(admin, "r@mx.example", GrantedRole.OPERATOR_READER)
        assert (await refused(reader, ROOT)).kind is ErrorKind.NOT_ALLOWED

    run(story())


def test_nobody_takes_over_a_user_with_more_rights() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)  # has the content of mail too
        await signed_up(admin, EMAIL)
        administrator = await as_new_user(admin, "a@alpha.example", GrantedRole.ACCOUNT_ADMIN)
        again = ADMIN.model_copy(update={"again": True, "scopes": ()})
        assert (await refused(administrator, again)).kind is ErrorKind.NOT_ALLOWED
        with pytest.raises(AdminError, match="exceeds the rights"):
            await portal_users.change_user(
                administrator, EMAIL, PortalUserChange(role=GrantedRole.ACCOUNT_READER, scopes=())
            )

    run(story())


def test_a_user_that_signed_up_is_invited_again_only_on_demand() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        first = await portal_users.invite_user(admin.context, ADMIN)
        second = await portal_users.invite_user(admin.context, ADMIN)  # its link was lost
        kept = admin.context.directory.now.portal_users[EMAIL]
        assert not kept.is_invited_by(secret_of(first), NOW)
        assert kept.is_invited_by(secret_of(second), NOW)
        await signed_up(admin, EMAIL)
        assert "give --again" in (await refused(admin.context, ADMIN)).remedy
        again = ADMIN.model_copy(update={"again": True})
        third = await portal_users.invite_user(admin.context, again)
        kept = admin.context.directory.now.portal_users[EMAIL]
        assert kept.password_hash == "$"  # until the link is used
        assert kept.is_invited_by(secret_of(third), NOW)

    run(story())


def test_an_address_of_another_account_is_taken_and_tells_nothing() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await accounts.add_account(admin.context, accounts.NewAccount(name="beta"))
        await portal_users.invite_user(admin.context, ADMIN)
        beta = ADMIN.model_copy(update={"account": "beta", "again": True})
        error = await refused(admin.context, beta)
        assert (error.kind, error.remedy) == (ErrorKind.EXISTS, "use another address")
        assert "alpha" not in error.error.replace(EMAIL, "")

    run(story())


def test_an_account_has_a_limited_number_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)
        other = ADMIN.model_copy(update={"email": "b@alpha.example"})
        assert (await refused(admin.context, other)).kind is ErrorKind.CONFLICT
        await portal_users.invite_user(admin.context, ADMIN)  # the same again
        await portal_users.invite_user(admin.context, ROOT)  # another account

    monkeypatch.setattr(portal_users, "MOST_USERS", 1)
    run(story())


def test_a_role_is_changed_and_both_are_in_the_trail() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)
        before = admin.context.directory.now.portal_users[EMAIL]
        wanted = PortalUserChange(role=GrantedRole.ACCOUNT_READER, scopes=())
        view = await portal_users.change_user(admin.context, EMAIL, wanted, "less")
        assert (view.role, view.scopes) == (GrantedRole.ACCOUNT_READER, [])
        assert admin.context.directory.now.portal_users[EMAIL].stamp != before.stamp
        entry = (await admin.store.audit.audit())[0]
        assert (entry.action, entry.subject, entry.reason) == (
            AuditAction.USER_CHANGED,
            EMAIL,
            "less",
        )
        assert [(one.field, one.after) for one in entry.changes] == [("grants", "account-reader")]
        entries = len(await admin.store.audit.audit())
        await portal_users.change_user(admin.context, EMAIL, wanted)  # as it is
        assert len(await admin.store.audit.audit()) == entries

    run(story())


def test_a_removed_user_takes_its_tokens_along_for_good() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)
        new = NewToken(name="ci", account="alpha", scopes=(Scope.RELEASE,))
        added = await tokens.add_token(as_user(admin, EMAIL), new)

        def state() -> TokenState:
            directory = admin.context.directory.now
            return state_of(directory.tokens[added.id], directory, NOW)

        assert state() is TokenState.ACTIVE
        await portal_users.remove_user(admin.context, EMAIL, "left")
        assert state() is TokenState.MAKER_GONE
        later = admin.context.now() + 1
        object.__setattr__(admin.context, "now", lambda: later)
        await portal_users.invite_user(admin.context, ADMIN)
        assert state() is TokenState.MAKER_GONE

    run(story())


def test_a_token_loses_what_the_user_that_made_it_loses() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)
        new = NewToken(name="ci", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
        added = await tokens.add_token(as_user(admin, EMAIL), new)
        reader = PortalUserChange(role=GrantedRole.ACCOUNT_READER, scopes=())
        await portal_users.change_user(admin.context, EMAIL, reader)
        directory = admin.context.directory.now
        acting = admin.context.acting(
            token_principal(directory.tokens[added.id], directory, "192.0.2.1")
        )
        with pytest.raises(AdminError, match="is not allowed to"):
            await tokens.add_token(acting, new.model_copy(update={"name": "two"}))

    run(story())


def test_a_removal_needs_a_reason() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)
        with pytest.raises(AdminError, match="reason"):
            await portal_users.remove_user(admin.context, EMAIL, " ")
        assert EMAIL in admin.context.directory.now.portal_users

    run(story())


def test_an_address_that_is_no_user_is_answered_by_the_most_alike() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await portal_users.invite_user(admin.context, ADMIN)
        with pytest.raises(AdminError) as caught:
            portal_users.find_user(admin.context, "Anna@alpha.example")
        assert caught.value.remedy.startswith(f"did you mean {EMAIL}? ")

    run(story())
