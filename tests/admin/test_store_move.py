"""The move of a store, as it is asked for, shown and recorded."""

import asyncio
from pathlib import Path

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.store_move import MoveView, UndoView, move_store, undo_store_move
from restante.mail.message import message_name
from restante.store.choice import open_move_source, open_move_target, open_store
from restante.tenancy.audit import AuditEntry
from restante.tenancy.principal import COMMAND_LINE, Principal, Role
from tests.actors import actor_named
from tests.contract.making import hosted, message, spooled

OPERATOR = Principal(Role.OPERATOR, actor_named("operator root"), COMMAND_LINE)
ALICE = Principal(Role.ACCOUNT, actor_named("token a"), "https", "alpha")


async def filled(directory: Path) -> str:
    """Make a store with a message whose content is damaged, and one without fault."""
    url = f"sqlite://{directory}"
    store = await open_store(url)
    domain_id = await hosted(store)
    file = await spooled(store, b"content")
    await store.reception.hold([message(7, domain_id, file=file), message(8, domain_id)])
    await store.close()
    (directory / "content" / file.name).write_bytes(b"c0ntent")
    return url


async def moved(principal: Principal, source: str, target: str) -> MoveView:
    one, other = await open_move_source(source), await open_move_target(target)
    try:
        return await move_store(principal, one, other, lambda *_: None)
    finally:
        await one.close()
        await other.close()


async def undone(source: str) -> UndoView:
    one = await open_move_source(source, is_read=False)
    try:
        return await undo_store_move(OPERATOR, one, None)
    finally:
        await one.close()


async def last_entry(url: str) -> AuditEntry:
    store = await open_store(url)
    try:
        return (await store.audit.audit())[0]
    finally:
        await store.close()


def test_a_move_is_shown_and_stands_in_the_audit_trail_of_the_new_store(tmp_path: Path) -> None:
    async def story() -> None:
        source = await filled(tmp_path / "old")
        target = f"sqlite://{tmp_path}/new"
        view = await moved(OPERATOR, source, target)
        assert (view.source, view.target, view.messages) == (source, target, 2)
        assert view.damaged == [message_name(7)]
        assert not view.is_resumed
        entry = await last_entry(target)
        assert (entry.action, entry.actor, entry.subject) == (
            "store-moved",
            "operator root",
            "store",
        )
        assert entry.reason == f"from {source}: 2 messages, digest {view.digest}"
        again = await moved(OPERATOR, source, target)
        assert again.was_done
        assert (await undone(source)).is_target_emptied is False
        assert (await last_entry(source)).action == "domain-changed"

    asyncio.run(story())


def test_an_account_moves_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        source = await filled(tmp_path / "old")
        with pytest.raises(AdminError) as caught:
            await moved(ALICE, source, f"sqlite://{tmp_path}/new")
        assert caught.value.kind is ErrorKind.NOT_ALLOWED

    asyncio.run(story())
