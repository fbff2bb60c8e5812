"""Two requests that add the same record at the same moment: one adds it, the other finds it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from pydantic import SecretStr

from restante.admin.accounts import NewAccount, add_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.channel_change import NewChannel
from restante.admin.channels import add_channel
from restante.admin.domain_change import NewDomain
from restante.admin.domains import add_domain
from restante.admin.logins import NewLogin, add_login
from restante.admin.portal_users import NewPortalUser, invite_user
from restante.store.interface import Store
from restante.tenancy.grants import GrantedRole
from tests.admin.admin_world import AdminWorld

Adding = Callable[[AdminContext, str], Awaitable[Any]]  # with a text that can differ


async def _account(context: AdminContext, text: str) -> Any:
    return await add_account(context, NewAccount(name="new", note=text))


async def _domain(context: AdminContext, text: str) -> Any:
    quota = 5000 + len(text)
    return await add_domain(
        context,
        NewDomain.model_validate(
            {"name": "new.example", "account": "alpha", "destination": "192.0.2.1", "quota": quota}
        ),
    )


async def _login(context: AdminContext, text: str) -> Any:
    password = SecretStr(f"a-very-secret-password {text}")
    return await add_login(context, "alpha", NewLogin(user="new", password=password))


async def _channel(context: AdminContext, text: str) -> Any:
    new = {"name": "new", "account": "alpha", "mail": f"{text}@pager.example"}
    return await add_channel(context, NewChannel.model_validate(new))


KINDS = {"account": _account, "domain": _domain, "login": _login, "channel": _channel}


async def at_once(store: Store, *attempts: Callable[[AdminContext], Awaitable[Any]]) -> list[Any]:
    """Return the results of additions whose records reach the store when all have begun."""
    admin = AdminWorld(store=store)  # type: ignore[arg-type]  # any store will do
    await admin.context.directory.refresh()
    await add_account(admin.context, NewAccount(name="alpha"))
    records, arrived, go_on = admin.store.records, [0], asyncio.Event()

    def together(put: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        async def later(*given: Any, **named: Any) -> Any:
            arrived[0] += 1
            if arrived[0] == len(attempts):
                go_on.set()
            await go_on.wait()
            return await put(*given, **named)

        return later

    with pytest.MonkeyPatch.context() as patch:
        for name in ("account", "domain", "login", "channel", "portal_user"):
            patch.setattr(records, f"put_{name}", together(getattr(records, f"put_{name}")))
        done = [attempt(admin.context) for attempt in attempts]
        return await asyncio.gather(*done, return_exceptions=True)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_same_record_is_added_once_and_found_once(store: Store, kind: str) -> None:
    add = KINDS[kind]
    both = await at_once(store, lambda one: add(one, "same"), lambda one: add(one, "same"))
    assert not [one for one in both if isinstance(one, Exception)]
    assert sorted(bool(one.changes) for one in both) == [False, True]


@pytest.mark.parametrize("kind", KINDS)
async def test_another_record_of_that_name_is_refused(store: Store, kind: str) -> None:
    add = KINDS[kind]
    both = await at_once(store, lambda one: add(one, "same"), lambda one: add(one, "another"))
    [refused] = [one for one in both if isinstance(one, Exception)]
    assert isinstance(refused, AdminError)
    assert refused.kind is ErrorKind.EXISTS
    assert "is there already" in refused.error


async def test_a_user_is_invited_once(store: Store) -> None:
    new = NewPortalUser(email="zoe@x.example", account="alpha", role=GrantedRole.ACCOUNT_READER)
    both = await at_once(store, *[lambda one: invite_user(one, new)] * 2)
    assert not [one for one in both if isinstance(one, Exception)]
