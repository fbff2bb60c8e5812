"""The slot of a worker is taken again after its end, and by nobody before."""

from pathlib import Path

import pytest

from restante.store.database_access import NodeSeat
from restante.store.postgres import PostgresStore, open_postgres
from restante.store.postgres.postgres_transaction import NodeKey
from restante.store.postgres.slot_file import SlotFile
from restante.store.store_errors import StoreUnusable
from tests.postgres_cluster import seated


def test_a_slot_is_remembered(tmp_path: Path) -> None:
    file = SlotFile(tmp_path / "slot")
    assert file.former() is None
    file.keep(NodeKey(255, 12345678901))
    file.keep(NodeKey(3, 7))
    file.close()
    again = SlotFile(tmp_path / "slot")
    assert again.former() == NodeKey(3, 7)
    again.close()


def test_a_file_that_makes_no_sense_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "slot").write_text("x y")
    file = SlotFile(tmp_path / "slot")
    assert file.former() is None
    file.close()


def test_two_processes_never_have_it(tmp_path: Path) -> None:
    file = SlotFile(tmp_path / "slot")
    with pytest.raises(StoreUnusable, match="another server has it; stop that one first"):
        SlotFile(tmp_path / "slot")
    file.close()
    SlotFile(tmp_path / "slot").close()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnusable, match="let the server own its state_dir"):
        SlotFile(tmp_path / "none" / "slot")


async def killed(store: PostgresStore) -> None:
    """Let a process end without a word: its lease goes on."""
    node = store.core.node
    assert node._timer is not None
    node._timer.cancel()
    assert node._slot_file is not None
    node._slot_file.close()


async def test_a_worker_that_was_killed_has_its_slot_again_at_once(
    postgres_url: str, tmp_path: Path
) -> None:
    access = seated(NodeSeat("mx2:w1", tmp_path / "slot"))
    first = await open_postgres(postgres_url, access)
    before = first.core.node.key
    await killed(first)
    second = await open_postgres(postgres_url, access)
    assert second.core.node.key == (before.id, before.epoch + 1)
    assert [node.name for node in await second.nodes.nodes()] == ["mx2:w1"]
    await second.close()
    third = await open_postgres(postgres_url, access)
    assert third.core.node.key == (before.id, before.epoch + 2)
    await third.close()


async def test_the_slot_of_another_process_is_not_taken_in_a_restored_database(
    postgres_url: str, tmp_path: Path
) -> None:
    """Its slots and epochs begin again, and the files of workers have those from before."""
    second = await open_postgres(postgres_url, seated(NodeSeat("mx2:w2", tmp_path / "slot2")))
    file = SlotFile(tmp_path / "slot1")
    file.keep(second.core.node.key)
    file.close()
    first = await open_postgres(postgres_url, seated(NodeSeat("mx2:w1", tmp_path / "slot1")))
    assert first.core.node.key.id != second.core.node.key.id
    await second.core.node.beat()
    assert second.upkeep.failure == ""
    await first.close()
    await second.close()


async def test_a_slot_that_another_process_has_since_is_left_to_it(
    store: PostgresStore, postgres_url: str, tmp_path: Path
) -> None:
    key = store.core.node.key
    file = SlotFile(tmp_path / "slot")
    file.keep(NodeKey(key.id, key.epoch - 1))
    file.close()
    worker = await open_postgres(postgres_url, seated(NodeSeat("mx2:w1", tmp_path / "slot")))
    assert worker.core.node.key.id != key.id
    await worker.close()
