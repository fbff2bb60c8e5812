"""Lists of recipients as an operator keeps them."""

import asyncio
from typing import Any

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.recipient_lists import (
    RecipientChange,
    RecipientList,
    change_recipients,
    list_recipients,
    replace_recipients,
)
from restante.tenancy.recipients import Recipient, RecipientSource
from restante.tenancy.record_change import Change
from tests.admin.admin_world import NOW, AdminWorld, all_of, run

DOMAIN = "alpha.example"


async def names(admin: AdminWorld) -> list[str]:
    return [one.name for one in await all_of(list_recipients(admin.context, DOMAIN))]


def test_a_list_is_added_to_taken_from_and_recorded() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host(DOMAIN, "alpha", recipients="list", unknown="reject")
        done = await change_recipients(
            admin.context, DOMAIN, RecipientChange(add=("Anna", "bert@Alpha.Example", "anna"))
        )
        assert (done.added, done.dropped, done.listed) == (2, 0, 2)
        done = await change_recipients(
            admin.context, DOMAIN, RecipientChange(add=("carl",), remove=("ANNA",))
        )
        assert (done.added, done.dropped, done.listed) == (1, 1, 2)
        assert await names(admin) == ["bert", "carl"]
        [newest, *_] = await admin.store.audit.audit()
        assert (newest.action, newest.subject, newest.domain) == (
            "recipients-changed",
            DOMAIN,
            DOMAIN,
        )
        assert newest.changes == (
            Change("added", "none", "carl"),
            Change("dropped", "anna", "none"),
        )
        book = admin.context.parts.recipients.of(admin.context.directory.now.domains[DOMAIN].id)
        assert book is not None
        assert book.listed == {"bert", "carl"}

    run(story(AdminWorld()))


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (RecipientChange(add=("anna@beta.example",)), ErrorKind.INVALID),
        (RecipientChange(add=("",)), ErrorKind.INVALID),
        (RecipientChange(remove=("nobody",)), ErrorKind.NOT_FOUND),
    ],
)
def test_an_impossible_value_changes_nothing(change: RecipientChange, kind: ErrorKind) -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host(DOMAIN, "alpha")
        with pytest.raises(AdminError) as caught:
            await change_recipients(admin.context, DOMAIN, change)
        assert caught.value.kind is kind
        assert await names(admin) == []

    run(story(AdminWorld()))


def test_a_replacement_that_drops_many_wants_to_be_confirmed() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host(DOMAIN, "alpha")
        ten = tuple(f"user{number}" for number in range(10))
        await replace_recipients(admin.context, DOMAIN, RecipientList(addresses=ten))
        eight = await replace_recipients(admin.context, DOMAIN, RecipientList(addresses=ten[:8]))
        assert (eight.dropped, eight.listed, eight.is_large) == (2, 8, False)
        with pytest.raises(AdminError, match=r"2 of the 8 .* use --yes") as caught:
            await replace_recipients(admin.context, DOMAIN, RecipientList(addresses=ten[:6]))
        assert caught.value.kind is ErrorKind.CONFLICT
        preview = await replace_recipients(
            admin.context, DOMAIN, RecipientList(addresses=(), is_preview=True)
        )
        assert (preview.dropped, preview.is_large) == (8, True)
        assert len(await names(admin)) == 8
        await replace_recipients(
            admin.context, DOMAIN, RecipientList(addresses=("new",), is_confirmed=True)
        )
        assert await names(admin) == ["new"]

    run(story(AdminWorld()))


def test_two_changes_at_once_are_both_made() -> None:
    """Each reads the list and writes the difference. The second waits until the first is done."""

    async def story(admin: AdminWorld) -> None:
        await admin.host(DOMAIN, "alpha", recipients="list")
        await replace_recipients(admin.context, DOMAIN, RecipientList(addresses=("anna", "bert")))
        real = admin.store.recipients.change_list

        async def slow(*words: Any, **named: Any) -> None:
            await asyncio.sleep(0)
            await real(*words, **named)

        admin.store.recipients.change_list = slow  # type: ignore[method-assign]
        first = replace_recipients(
            admin.context, DOMAIN, RecipientList(addresses=("carl",), is_confirmed=True)
        )
        second = replace_recipients(
            admin.context, DOMAIN, RecipientList(addresses=("dora",), is_confirmed=True)
        )
        await asyncio.gather(first, second)
        assert await names(admin) in (["carl"], ["dora"])

    run(story(AdminWorld()))


def test_learned_recipients_are_shown_and_not_replaced() -> None:
    async def story(admin: AdminWorld) -> None:
        number = await admin.host(DOMAIN, "alpha")
        await admin.store.recipients.learn(
            number, [Recipient("gone", RecipientSource.DRAIN, is_there=False, at=NOW)]
        )
        await replace_recipients(admin.context, DOMAIN, RecipientList(addresses=("anna",)))
        shown = await all_of(list_recipients(admin.context, DOMAIN))
        assert [(one.name, one.source, one.is_there) for one in shown] == [
            ("gone", "drain", False),
            ("anna", "list", True),
        ]

    run(story(AdminWorld()))


def test_an_empty_list_that_is_taken_at_its_word_is_warned_of() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host(DOMAIN, "alpha")
        done = await change_domain(
            admin.context,
            DOMAIN,
            DomainChange.model_validate({"recipients": "list", "unknown": "reject"}),
        )
        assert any(
            "list of recipients is empty" in warning and "550" in warning
            for warning in done.warnings
        )
        await change_recipients(admin.context, DOMAIN, RecipientChange(add=("anna",)))
        done = await change_domain(
            admin.context, DOMAIN, DomainChange.model_validate({"unknown": "defer"})
        )
        assert done.warnings == []

    run(story(AdminWorld()))


def test_a_name_that_is_not_on_the_list_is_answered_by_the_most_alike() -> None:
    async def story(admin: AdminWorld) -> None:
        await admin.host(DOMAIN, "alpha", recipients="list", unknown="reject")
        await change_recipients(admin.context, DOMAIN, RecipientChange(add=("anna", "bert")))
        with pytest.raises(AdminError) as caught:
            await change_recipients(admin.context, DOMAIN, RecipientChange(remove=("anne",)))
        assert caught.value.remedy.startswith("did you mean anna? ")

    run(story(AdminWorld()))
