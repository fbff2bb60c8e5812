"""Accounts and domains are found by parts of their names."""

import asyncio

from restante.admin.name_finding import find_names
from restante.tenancy.principal import Principal, Role
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld


def hosted() -> AdminWorld:
    admin = AdminWorld()
    for name in ("north-mail", "south-mail", "other"):
        asyncio.run(admin.host(f"{name}.example", name))
    return admin


def test_a_part_of_a_name_finds_accounts_and_domains() -> None:
    found = asyncio.run(find_names(hosted().context, "H-Mail", 10))
    assert [one.name for one in found.accounts] == ["north-mail", "south-mail"]
    assert [(one.name, one.account) for one in found.domains] == [
        ("north-mail.example", "north-mail"),
        ("south-mail.example", "south-mail"),
    ]


def test_no_more_than_the_limit_is_returned_and_all_are_counted() -> None:
    found = asyncio.run(find_names(hosted().context, "mail", 1))
    assert [one.name for one in found.accounts] == ["north-mail"]
    assert [one.name for one in found.domains] == ["north-mail.example"]
    assert (found.accounts_in_all, found.domains_in_all) == (2, 2)


def test_an_account_finds_nothing_of_others() -> None:
    admin = hosted()
    other = Principal(Role.ACCOUNT, actor_named("user b (other)"), "192.0.2.9", "other")
    found = asyncio.run(find_names(admin.context.acting(other), "e", 10))
    assert [one.name for one in found.accounts] == ["other"]
    assert [one.name for one in found.domains] == ["other.example"]
    assert (found.accounts_in_all, found.domains_in_all) == (1, 1)
