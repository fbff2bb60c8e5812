"""Links: good once and for 30 seconds, and never for more rights than those behind them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.portal_links import (
    PORTAL_LINK_PATH,
    NewPortalLink,
    PortalLinks,
    make_portal_link,
)
from restante.admin.portal_users import PortalUserChange, change_user
from restante.tenancy.audit import AuditAction
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import FakeServer, with_settings
from tests.admin.portal_people import ANA, ROOT, People

LINK = frozenset({Scope.PORTAL_LINK})


def token(account: str = "", *more: Any, **fields: Any) -> Principal:
    role = Role.ACCOUNT if account else Role.OPERATOR
    return Principal(role, actor_named("token t"), "", account, (LINK, *more), token="id", **fields)


async def link_of(people: People, principal: Principal, user: str = ANA) -> str:
    context = replace(people.context.acting(principal), server=FakeServer())
    made = await make_portal_link(context, NewPortalLink(user=user))
    assert made.user == user
    return made.link.removeprefix(f"https://r.example{PORTAL_LINK_PATH}")


async def refusal(people: People, principal: Principal, user: str = ANA) -> ErrorKind:
    with pytest.raises(AdminError) as refused:
        await link_of(people, principal, user)
    return refused.value.kind


def told(story: Callable[[People], Awaitable[None]]) -> None:
    async def whole() -> None:
        people = People()
        await people.set_up()
        await people.set_up(ANA, has_code=False)
        await story(people)

    asyncio.run(whole())


def test_a_link_leads_to_its_user_once() -> None:
    async def story(people: People) -> None:
        secret, links = await link_of(people, token()), PortalLinks(people.context)
        assert await links.user_of(secret) == await links.user_of(secret) == people.user(ANA)
        assert await links.take(secret) == people.user(ANA)
        assert await links.take(secret) is None
        assert await links.user_of(secret) is None
        assert await links.take("x") is None
        [entry] = await people.entries(AuditAction.PORTAL_LINK_MADE)
        assert (entry.actor, entry.subject, entry.account) == ("token t", ANA, "alpha")
        assert secret not in repr(entry)

    told(story)


def test_a_link_is_over_after_30_seconds() -> None:
    async def story(people: People) -> None:
        secret, links = await link_of(people, token()), PortalLinks(people.context)
        people.now += 29.9
        assert await links.user_of(secret) is not None
        people.now += 0.1
        assert await links.take(secret) is None

    told(story)


def test_a_link_is_over_when_the_user_gets_other_rights() -> None:
    async def story(people: People) -> None:
        secret = await link_of(people, token())
        lesser = PortalUserChange(role=GrantedRole.ACCOUNT_READER)
        await change_user(people.context, ANA, lesser)
        assert await PortalLinks(people.context).take(secret) is None

    told(story)


def test_there_are_no_links_for_operators() -> None:
    async def story(people: People) -> None:
        assert await refusal(people, token(), ROOT) is ErrorKind.NOT_ALLOWED
        assert await refusal(people, people.context.principal, ROOT) is ErrorKind.NOT_ALLOWED

    told(story)


def test_a_foreign_user_is_answered_like_an_unknown_one() -> None:
    async def story(people: People) -> None:
        for user in (ANA, ROOT, "nobody@alpha.example"):
            assert await refusal(people, token("beta"), user) is ErrorKind.NOT_FOUND
        limited = token("alpha", domains=frozenset({"alpha.example"}))
        assert await refusal(people, limited) is ErrorKind.NOT_FOUND

    told(story)


def test_the_rights_behind_a_token_limit_its_links() -> None:
    async def story(people: People) -> None:
        admin = people.user(ANA).grants
        await link_of(people, token("alpha", admin))
        reader = frozenset({GrantedRole.ACCOUNT_READER})
        assert await refusal(people, token("alpha", reader)) is ErrorKind.NOT_ALLOWED
        more = PortalUserChange(scopes=(Scope.CONTENT_READ,))
        await change_user(people.context, ANA, more)
        bare = frozenset({GrantedRole.ACCOUNT_ADMIN})
        assert await refusal(people, token("alpha", bare)) is ErrorKind.NOT_ALLOWED
        assert await refusal(people, token("", bare | {GrantedRole.OPERATOR})) is (
            ErrorKind.NOT_ALLOWED
        )

    told(story)


def test_a_token_without_the_scope_makes_none() -> None:
    async def story(people: People) -> None:
        other = replace(token(), grants=(frozenset({Scope.USER_WRITE}),))
        assert await refusal(people, other) is ErrorKind.NOT_ALLOWED

    told(story)


def test_a_link_needs_a_server_with_a_portal() -> None:
    async def story(people: People) -> None:
        for context in (
            replace(people.context, server=None),
            with_settings(replace(people.context, server=FakeServer()), portal_url=str),
        ):
            with pytest.raises(AdminError) as refused:
                await make_portal_link(context, NewPortalLink(user=ANA))
            assert refused.value.kind is ErrorKind.CONFLICT
            assert refused.value.remedy

    told(story)


def test_a_link_outlives_a_restart_and_is_good_once_for_all_processes() -> None:
    async def story(people: People) -> None:
        secret = await link_of(people, token())
        other = People(admin=people.admin, now=people.now)  # the same store and key file
        assert await PortalLinks(other.context).user_of(secret) == people.user(ANA)
        assert await PortalLinks(other.context).take(secret) == people.user(ANA)
        assert await PortalLinks(people.context).take(secret) is None
        assert await PortalLinks(people.context).user_of(secret) is None

    told(story)
