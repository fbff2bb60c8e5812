"""Domains at a glance, within the principal's account."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.domain_glances import list_glances, show_glance
from restante.admin.hold_again import MessagesToHoldAgain, hold_again
from restante.mail.message import message_name
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import ALPHA, NOW, AdminWorld

BETA = Principal(Role.ACCOUNT, actor_named("user b (beta)"), "192.0.2.9", "beta")


def hosted() -> AdminWorld:
    admin = AdminWorld()

    async def story() -> None:
        for number, name in enumerate(("alpha", "beta", "gamma"), 1):
            await admin.host(f"{name}.example", name)
            await admin.hold(number, number, f"a@{name}.example")
        await admin.refuse(3, 3, "a@gamma.example", "550 no")

    asyncio.run(story())
    return admin


def test_pages_by_name_with_the_sum_of_all() -> None:
    admin = hosted()
    found = asyncio.run(list_glances(admin.context, after="alpha.example", limit=1))
    assert [one.name for one in found.page] == ["beta.example"]
    assert [one.name for one in found.needy] == ["alpha.example", "beta.example", "gamma.example"]
    assert (found.domains, found.held.messages, found.held.held) == (3, 3, 2)
    assert found.needy[2].refused == 1
    assert found.needy[0].drain is not None
    assert found.needy[0].name == admin.context.directory.now.domain_by_id(ALPHA).name  # type: ignore[union-attr]


def test_the_oldest_mail_is_held_mail_and_its_time_begins_again_with_it() -> None:
    admin = AdminWorld()

    async def story() -> list[tuple[datetime | None, datetime | None]]:
        await admin.host("alpha.example", "alpha", retention=3600.0, at_end="delete")
        await admin.hold(1, 1, "a@alpha.example")
        await admin.refuse(1, 1, "a@alpha.example", "550 no")
        seen = [await show_glance(admin.context, "alpha.example")]
        await hold_again(admin.context, MessagesToHoldAgain(names=(message_name(1),), reason=""))
        seen.append(await show_glance(admin.context, "alpha.example"))
        return [(one.oldest_at, one.kept_from) for one in seen]

    refused, again = asyncio.run(story())
    assert refused == (None, None)
    assert again == (moment(NOW - 3600), moment(NOW))


def test_an_account_sees_its_own_only() -> None:
    context = hosted().context.acting(BETA)
    found = asyncio.run(list_glances(context))
    assert [one.name for one in (*found.page, *found.needy)] == ["beta.example"] * 2
    assert found.held.messages == 1
    for name in ("alpha.example", "nothing.example"):
        with pytest.raises(AdminError) as caught:
            asyncio.run(show_glance(context, name))
        assert caught.value.kind is ErrorKind.NOT_FOUND


def test_only_the_domains_of_the_page_and_the_needy_are_looked_up() -> None:
    """An account may have thousands, and each costs a look into the store."""
    admin = hosted()
    asked: list[Sequence[int] | None] = []
    oldest = admin.store.figures.oldest

    async def noted(domain_ids: Sequence[int] | None = None) -> Mapping[int, float]:
        asked.append(domain_ids)
        return await oldest(domain_ids)

    admin.store.figures.oldest = noted  # type: ignore[method-assign]
    asyncio.run(show_glance(admin.context, "beta.example"))
    asyncio.run(list_glances(admin.context.acting(BETA)))
    beta = admin.context.directory.now.domains["beta.example"].id
    assert [set(ids or ()) for ids in asked] == [{beta}, {beta}]
    found = asyncio.run(list_glances(admin.context, limit=0))
    assert (found.page, found.domains, len(found.needy)) == ([], 3, 3)
