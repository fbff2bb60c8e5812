"""Tokens: shown once, limited by the rights of their makers, and gone when revoked."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from restante.admin import accounts, tokens
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import list_audit
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.tokens import AddedToken, NewToken
from restante.store.live_directory import LiveDirectory
from restante.tenancy.api_token import TokenState, read_token
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.token_chain import token_principal
from tests.admin.admin_world import NOW, AdminWorld, all_of, run

QUEUE = NewToken(name="ci", account="alpha", scopes=(Scope.QUEUE_READ, Scope.RELEASE))


async def admin_of_alpha() -> AdminWorld:
    admin = AdminWorld()
    await admin.host("alpha.example", "alpha")
    return admin


def acting(admin: AdminWorld, added: AddedToken) -> AdminContext:
    directory = admin.context.directory.now
    return admin.context.acting(token_principal(directory.tokens[added.id], directory, "192.0.2.1"))


async def refused(
    admin: AdminWorld, new: NewToken, context: AdminContext | None = None
) -> AdminError:
    before = admin.context.directory.now.tokens
    with pytest.raises(AdminError) as caught:
        await tokens.add_token(context or admin.context, new)
    assert admin.context.directory.now.tokens == before
    return caught.value


def test_a_token_is_shown_once_and_only_its_hash_is_kept() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        added = await tokens.add_token(admin.context, QUEUE)
        parts = read_token(added.token)
        assert parts is not None
        assert parts.id == added.id
        kept = admin.context.directory.now.tokens[added.id]
        assert kept.has_secret(parts.secret)
        [listed] = await tokens.list_tokens(admin.context, "alpha")
        told = [listed.model_dump_json(), repr(kept), repr(admin.log.lines)]
        told += [repr(one) for one in await admin.store.audit.audit()]
        assert not any(parts.secret in text for text in told)

    run(story())


def test_the_trail_names_what_is_granted() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        new = replace_fields(QUEUE, domains=("Alpha.Example",), networks=("192.0.2.7",))
        added = await tokens.add_token(admin.context, new)
        await tokens.revoke_token(admin.context, added.id, "leaked")
        revoked, made, *_ = await all_of(list_audit(admin.context))
        assert (made.action, made.subject, made.account) == ("token-added", added.id, "alpha")
        assert {one.field: one.after for one in made.changes} == {
            "account": "alpha",
            "name": "ci",
            "secret": "set",
            "grants": "queue:read, release",
            "created_by": "operator",
            "domains": "alpha.example",
            "networks": "192.0.2.7/32",
            "expires_at": "2026-10-09T08:53:20+00:00",
        }
        assert (revoked.action, revoked.reason) == ("token-revoked", "leaked")
        assert ("grants", "queue:read, release") in [(x.field, x.before) for x in revoked.changes]

    run(story())


def replace_fields(new: NewToken, **fields: object) -> NewToken:
    return NewToken.model_validate(new.model_dump() | fields)


def test_a_token_expires_in_a_year_at_a_given_time_or_never() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        later = datetime.fromtimestamp(NOW, UTC) + timedelta(days=90)
        for name, given, expected in (
            ("a", None, datetime.fromtimestamp(NOW, UTC) + timedelta(days=365)),
            ("b", later, later),
            ("c", "never", None),
        ):
            new = replace_fields(QUEUE, name=name, expires_at=given)
            assert (await tokens.add_token(admin.context, new)).expires_at == expected
        past = replace_fields(QUEUE, name="d", expires_at=datetime.fromtimestamp(NOW, UTC))
        assert (await refused(admin, past)).kind is ErrorKind.INVALID

    run(story())


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"scopes": ()}, ErrorKind.USAGE, "has no rights"),
        ({"name": "no spaces"}, ErrorKind.INVALID, "not a name"),
        ({"account": "gamma"}, ErrorKind.NOT_FOUND, "does not exist"),
        ({"role": "operator"}, ErrorKind.INVALID, "only for an operator's token"),
        ({"scopes": ("account:write",), "account": ""}, None, ""),
        ({"scopes": ("server:read",)}, ErrorKind.INVALID, "only for an operator's token"),
        ({"role": "account-admin", "account": ""}, ErrorKind.INVALID, "only for an account's"),
        ({"domains": ("beta.example",)}, ErrorKind.NOT_FOUND, "belongs to account beta"),
        ({"domains": ("gamma.example",)}, ErrorKind.NOT_FOUND, "not hosted"),
        ({"networks": ("192.0.2.1/24",)}, ErrorKind.INVALID, "neither an address nor a network"),
        ({"networks": ("mail.example",)}, ErrorKind.INVALID, "not an address or a network"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(
    fields: dict[str, object], kind: ErrorKind | None, text: str
) -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await admin.host("beta.example", "beta")
        new = replace_fields(QUEUE, **fields)
        if kind is None:
            await tokens.add_token(admin.context, new)
            return
        error = await refused(admin, new)
        assert (error.kind, text in error.error) == (kind, True), error.error

    run(story())


def test_a_name_is_used_once_at_a_time() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        first = await tokens.add_token(admin.context, QUEUE)
        assert (await refused(admin, QUEUE)).kind is ErrorKind.EXISTS
        await tokens.revoke_token(admin.context, first.id, "replaced")
        await tokens.add_token(admin.context, QUEUE)
        states = {one.state for one in await tokens.list_tokens(admin.context)}
        assert states == {TokenState.ACTIVE, TokenState.REVOKED}

    run(story())


def test_a_token_makes_only_tokens_with_rights_of_its_own() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        maker = await tokens.add_token(
            admin.context,
            NewToken(name="maker", account="alpha", scopes=(Scope.TOKEN_WRITE, Scope.QUEUE_READ)),
        )
        context = acting(admin, maker)
        made = await tokens.add_token(
            context, NewToken(name="made", account="alpha", scopes=(Scope.QUEUE_READ,))
        )
        assert made.created_by == "token maker (alpha)"
        for grants in ({"scopes": ("queue:write",)}, {"role": "account-reader"}):
            new = NewToken.model_validate({"name": "more", "account": "alpha"} | grants)
            error = await refused(admin, new, context)
            assert error.kind is ErrorKind.NOT_ALLOWED
            assert "exceeds the rights of token maker (alpha)" in error.error
        new = NewToken(name="other", account="beta", scopes=(Scope.QUEUE_READ,))
        assert (await refused(admin, new, context)).kind is ErrorKind.NOT_FOUND

    run(story())


def test_an_administrator_of_an_account_cannot_give_the_content_of_mail() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        administrator = await tokens.add_token(
            admin.context, NewToken(name="a", account="alpha", role=GrantedRole.ACCOUNT_ADMIN)
        )
        for scope in (Scope.CONTENT_READ, Scope.DOMAIN_DIRECT):
            new = NewToken(name="b", account="alpha", scopes=(scope,))
            assert (
                await refused(admin, new, acting(admin, administrator))
            ).kind is ErrorKind.NOT_ALLOWED
            await tokens.add_token(admin.context, replace_fields(new, name=scope.value[:6]))

    run(story())


def test_a_token_ends_with_its_maker() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        administrator = await tokens.add_token(
            admin.context,
            NewToken(
                name="admin",
                account="alpha",
                role=GrantedRole.ACCOUNT_ADMIN,
                expires_at=datetime.fromtimestamp(NOW + 1000, UTC),
            ),
        )
        context = acting(admin, administrator)
        made = await tokens.add_token(context, replace_fields(QUEUE, expires_at="never"))
        assert made.expires_at == administrator.expires_at
        await tokens.revoke_token(admin.context, administrator.id, "left")
        states = {one.name: one.state for one in await tokens.list_tokens(admin.context)}
        assert states == {"admin": TokenState.REVOKED, "ci": TokenState.MAKER_GONE}

    run(story())


def test_a_revoked_token_stays_as_it_is_when_it_is_revoked_again() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        added = await tokens.add_token(admin.context, QUEUE)
        first = await tokens.revoke_token(admin.context, added.id, "leaked")
        entries = len(await admin.store.audit.audit())
        later = replace(admin.context, now=lambda: NOW + 60)
        assert await tokens.revoke_token(later, added.id, "again") == first
        assert len(await admin.store.audit.audit()) == entries
        with pytest.raises(AdminError) as caught:
            await tokens.revoke_token(admin.context, "unknown000", "x")
        assert caught.value.kind is ErrorKind.NOT_FOUND

    run(story())


def test_an_account_has_so_many_tokens_and_those_that_are_over_go_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)

    async def story() -> None:
        admin = await admin_of_alpha()
        first = await tokens.add_token(admin.context, QUEUE)
        await tokens.add_token(admin.context, replace_fields(QUEUE, name="two"))
        third = replace_fields(QUEUE, name="three")
        assert (await refused(admin, third)).kind is ErrorKind.CONFLICT
        await tokens.revoke_token(admin.context, first.id, "unused")
        await tokens.add_token(admin.context, third)
        names = [one.name for one in await tokens.list_tokens(admin.context, "alpha")]
        assert names == ["three", "two"]

    run(story())


def test_tokens_whose_maker_is_gone_take_no_room_and_no_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 3)

    async def story() -> None:
        admin = await admin_of_alpha()
        wanted = replace_fields(QUEUE, name="maker", role="account-admin")
        maker = await tokens.add_token(admin.context, wanted)
        for name in ("one", "two"):
            await tokens.add_token(acting(admin, maker), replace_fields(QUEUE, name=name))
        await tokens.revoke_token(admin.context, maker.id, "leaked")
        for name in ("one", "two", "three"):
            await tokens.add_token(admin.context, replace_fields(QUEUE, name=name))
        present = list(await tokens.list_tokens(admin.context, "alpha"))
        assert {(one.name, str(one.state)) for one in present} == {
            ("one", "active"),
            ("two", "active"),
            ("three", "active"),
        }

    run(story())


def test_two_servers_do_not_add_two_tokens_of_one_name() -> None:
    """The other's is known here only after a refusal by the store."""

    async def story() -> None:
        admin = await admin_of_alpha()
        other = replace(admin.context, directory=LiveDirectory(admin.store.records))
        await other.directory.refresh()
        await tokens.add_token(admin.context, QUEUE)
        assert other.directory.now.tokens == {}
        with pytest.raises(AdminError, match="token ci: is there already") as caught:
            await tokens.add_token(other, QUEUE)
        assert caught.value.kind is ErrorKind.EXISTS
        await tokens.add_token(admin.context, replace_fields(QUEUE, name="three"))
        await tokens.add_token(other, replace_fields(QUEUE, name="two"))
        names = [one.name for one in await tokens.list_tokens(other, "alpha")]
        assert names == ["ci", "three", "two"]

    run(story())


def test_an_account_shows_how_many_tokens_it_has_and_takes_them_along() -> None:
    async def story() -> None:
        admin = AdminWorld()
        await accounts.add_account(admin.context, accounts.NewAccount(name="alpha"))
        added = await tokens.add_token(admin.context, QUEUE)
        await tokens.add_token(admin.context, replace_fields(QUEUE, name="two"))
        await tokens.revoke_token(admin.context, added.id, "unused")
        assert accounts.show_account(admin.context, "alpha").tokens == 1
        await accounts.remove_account(admin.context, "alpha", "left")
        assert list(await tokens.list_tokens(admin.context)) == []

    run(story())


def test_a_token_follows_no_domain_to_another_account() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        await admin.host("two.example", "alpha")
        await admin.host("beta.example", "beta")
        added = await tokens.add_token(
            admin.context, replace_fields(QUEUE, role="account-reader", domains=("two.example",))
        )
        move = DomainChange(account="beta")
        await change_domain(admin.context, "two.example", move)
        assert acting(admin, added).principal.sees_domain("beta", "two.example") is False

    run(story())


def test_the_last_use_is_shown() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        added = await tokens.add_token(admin.context, QUEUE)
        await admin.store.records.record_token_uses({added.id: NOW - 60})
        [listed] = await tokens.list_tokens(admin.context)
        assert listed.last_used_at == datetime.fromtimestamp(NOW - 60, UTC)

    run(story())


def test_a_token_is_found_by_its_name_or_by_most_of_its_id() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        added = await tokens.add_token(admin.context, QUEUE)
        for given in ("ci", added.id[:-1]):
            with pytest.raises(AdminError) as caught:
                await tokens.revoke_token(admin.context, given, "lost")
            assert caught.value.remedy.startswith(f"did you mean {added.id}? ")
        await tokens.revoke_token(admin.context, added.id, "lost")
        with pytest.raises(AdminError) as caught:
            await tokens.revoke_token(admin.context, "ci", "lost")
        assert "mean" not in caught.value.remedy

    run(story())


def test_two_tokens_of_one_name_at_the_same_moment_are_one() -> None:
    async def story() -> None:
        admin = await admin_of_alpha()
        both = await asyncio.gather(
            *[tokens.add_token(admin.context, QUEUE) for _ in range(2)], return_exceptions=True
        )
        [refused] = [one for one in both if isinstance(one, AdminError)]
        assert refused.kind is ErrorKind.EXISTS
        assert len(await all_tokens(admin)) == 1

    async def all_tokens(admin: AdminWorld) -> list[object]:
        return list(await tokens.list_tokens(admin.context))

    run(story())
