"""After a restore: mail that had left is removed, and nothing else ever is."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.admin import left_since_backup
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.left_since_backup import LeftMail, NewerHistory, delete_left
from restante.admin.mail_history import HistorySelection, export_history
from restante.cli.delete_left import _FIELDS
from restante.queue.history import HistoryFilter
from restante.queue.newer_history import GONE
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.store.handover_store import Drain
from restante.store.queue_store import QueueFilter
from restante.tenancy.audit import AuditAction
from tests.admin.admin_world import NOW, AdminWorld, run

PATHS = ("x@alpha.example", "y@alpha.example", "z@alpha.example")
SETTLED = (RecipientMove.DELIVERED, RecipientMove.REFUSED, RecipientMove.UNCERTAIN)


async def backup(recipients: Iterable[int]) -> AdminWorld:
    """A restored store: messages 1, 2, … each with so many recipients."""
    admin = AdminWorld()
    alpha = await admin.host("alpha.example", "alpha")
    for number, count in enumerate(recipients, 1):
        await admin.hold(number, alpha, *PATHS[:count])
    return admin


async def settle(admin: AdminWorld, number: int, moves: dict[str, RecipientMove]) -> None:
    alpha = admin.context.directory.now.domains["alpha.example"].id
    drain = await admin.store.handover.open_drain(alpha, NOW, NOW + 60)
    assert isinstance(drain, Drain)
    outcomes = tuple(
        RecipientOutcome(path, move, "250 2.0.0 Ok: queued as 4711") for path, move in moves.items()
    )
    await admin.store.handover.settle(drain, [MessageOutcome(number, outcomes)], at=NOW)
    await admin.store.handover.close_drain(drain)


async def exported(admin: AdminWorld) -> list[dict[str, Any]]:
    """The history as `restante trace --ndjson` writes it, and as the command sends it."""
    entries = [
        json.loads(view.model_dump_json())
        async for views in export_history(admin.context, HistorySelection())
        for view in views
    ]
    return [{name: one[name] for name in _FIELDS} for one in entries if one["outcome"] in GONE]


async def deleted(
    admin: AdminWorld, outcomes: list[dict[str, Any]], **fields: Any
) -> LeftMail | None:
    if not outcomes:
        return None
    given = {"outcomes": outcomes, "reason": "restored", **fields}
    return await delete_left(admin.context, NewerHistory.model_validate(given))


async def recipients(admin: AdminWorld) -> set[tuple[int, str]]:
    return {
        (one.number, each.forward_path)
        for one in await admin.store.queue.list_queue(QueueFilter())
        for each in one.recipients
    }


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.dictionaries(st.sampled_from(PATHS), st.sampled_from(SETTLED))
        ),
        max_size=5,
    )
)
def test_exactly_the_recipients_that_left_are_removed(
    mail: list[tuple[int, dict[str, RecipientMove]]],
) -> None:
    """Backup, deliver, restore, delete: then both stores hold the same recipients."""

    async def story() -> None:
        newer, restored = [await backup([count for count, _ in mail]) for _ in range(2)]
        for number, (count, moves) in enumerate(mail, 1):
            there = {path: move for path, move in moves.items() if path in PATHS[:count]}
            if there:
                await settle(newer, number, there)
        before = await recipients(restored)
        proofs = await exported(newer)
        await deleted(restored, proofs, dry_run=True)
        assert await recipients(restored) == before
        found = await deleted(restored, proofs)
        assert await recipients(restored) == await recipients(newer)
        assert found is None or (found.doubtful, found.missing) == ([], [])

    run(story())


def test_the_audit_trail_names_what_was_removed_and_history_keeps_the_proof() -> None:
    async def story() -> None:
        newer, restored = await backup([2, 1]), await backup([2, 1])
        await settle(newer, 1, {PATHS[1]: RecipientMove.DELIVERED})
        found = await deleted(restored, await exported(newer))
        assert found is not None
        assert (found.deleted, found.missing, found.doubtful) == (1, [], [])
        [message] = found.messages
        assert (message.name, message.domain, message.stay) == ("1", "alpha.example", 1)
        assert await recipients(restored) == {(1, PATHS[0]), (2, PATHS[0])}
        [entry] = await restored.store.audit.audit(limit=1)
        assert (entry.action, entry.subject, entry.reason) == (
            AuditAction.MAIL_DELETED,
            "1",
            "restored",
        )
        assert {one.field: one.before for one in entry.changes}["recipients"] == PATHS[1]
        [kept] = await restored.store.history.history(HistoryFilter())
        assert (kept.outcome, kept.forward_path, kept.reply) == (
            RecipientMove.DELETED,
            PATHS[1],
            "delivered 2025-10-09T08:53:20Z: 250 2.0.0 Ok: queued as 4711",
        )

    run(story())


def test_mail_that_came_after_the_restore_stays_although_a_message_had_its_name() -> None:
    async def story() -> None:
        newer, restored = await backup([1]), await backup([1])
        await settle(newer, 1, {PATHS[0]: RecipientMove.DELIVERED})
        proofs = [{**one, "octets": one["octets"] + 1} for one in await exported(newer)]
        found = await deleted(restored, proofs)
        assert found is not None
        assert [(one.name, one.doubt) for one in found.doubtful] == [("1", "other-facts")]
        assert (found.deleted, found.messages) == (0, [])
        assert await recipients(restored) == {(1, PATHS[0])}

    run(story())


def test_a_message_that_changes_meanwhile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        newer, restored = await backup([1, 1]), await backup([1, 1])
        for number in (1, 2):
            await settle(newer, number, {PATHS[0]: RecipientMove.DELIVERED})
        bounce = restored.store.queue.bounce

        async def overtaken(*given: Any) -> list[int]:
            await settle(restored, 2, {PATHS[0]: RecipientMove.DELIVERED})
            return await bounce(*given)

        monkeypatch.setattr(restored.store.queue, "bounce", overtaken)
        monkeypatch.setattr(left_since_backup, "AT_ONCE", 9)
        found = await deleted(restored, await exported(newer))
        assert found is not None
        assert (found.deleted, found.missing) == (1, ["2"])

    run(story())


def test_it_needs_a_reason() -> None:
    async def story() -> None:
        newer, restored = await backup([1]), await backup([1])
        await settle(newer, 1, {PATHS[0]: RecipientMove.DELIVERED})
        with pytest.raises(AdminError) as raised:
            await deleted(restored, await exported(newer), reason=" ")
        assert raised.value.kind is ErrorKind.USAGE
        assert await recipients(restored) == {(1, PATHS[0])}

    run(story())
