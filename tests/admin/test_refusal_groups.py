"""Refused mail is grouped by the reply, whatever its number, beside the event loop."""

import asyncio
import threading
from dataclasses import replace

import pytest

from restante.admin import refusal_groups as groups_module
from restante.admin.admin_error import AdminError
from restante.admin.refusal_groups import PATIENCE, RefusalGroups, refusal_groups
from restante.mail.message import message_name
from tests.admin.admin_world import AdminWorld

REPLIES = ("550 5.7.1 rate limit", "550 5.1.1 <{}> unknown")


async def refusing(count: int) -> AdminWorld:
    """Return a world whose messages were refused, two of three for the same reason."""
    admin = AdminWorld()
    await admin.host("alpha.example", "alpha")
    for number in range(1, count + 1):
        path = f"u{number}@alpha.example"
        await admin.hold(number, 1, path)
        await admin.refuse(number, 1, path, REPLIES[number % 3 == 0].format(path))
    return admin


def found(count: int) -> RefusalGroups:
    async def story() -> RefusalGroups:
        return await refusal_groups((await refusing(count)).context, None)

    return asyncio.run(story())


def test_the_largest_group_is_first_and_counts_are_exact() -> None:
    whole = found(9)
    assert [(one.reply[:9], one.count) for one in whole.groups] == [
        ("550 5.7.1", 6),
        ("550 5.1.1", 3),
    ]
    assert (whole.count, whole.is_cut) == (9, False)
    first = whole.groups[0]
    assert first.names == [message_name(number) for number in (1, 2, 4, 5, 7, 8)]
    assert first.examples[0] == (message_name(1), "a@sender.example")
    assert len(first.examples) == 5
    assert first.domains == {"alpha.example": 6}


def test_nothing_is_grouped_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def noted(reply: str) -> str:
        threads.append(threading.current_thread())
        return reply

    monkeypatch.setattr(groups_module, "kind_of", noted)
    assert found(3).count == 3
    assert threading.main_thread() not in threads


def test_a_reading_that_takes_long_ends_early_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def story() -> RefusalGroups:
        admin, times = await refusing(4), iter([0.0, PATIENCE, PATIENCE + 1, PATIENCE + 2])
        memory = replace(admin.context.memory, monotonic=lambda: next(times))
        return await refusal_groups(replace(admin.context, memory=memory), "alpha.example")

    monkeypatch.setattr("restante.admin.held_mail.PAGE", 1)
    cut = asyncio.run(story())
    assert (cut.count, cut.is_cut) == (2, True)


def test_a_domain_that_is_not_hosted_is_refused() -> None:
    with pytest.raises(AdminError):
        asyncio.run(refusal_groups(AdminWorld().context, "nobody.example"))
