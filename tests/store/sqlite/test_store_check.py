"""A look at all of a store finds whatever is not as it was written, and says what it is."""

import asyncio
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from restante.store.sqlite import SqliteStore, migrations
from restante.store.sqlite.engine import PAGE_SIZE
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.store_care import StoreReport
from tests.contract.making import CONTENT, hold, hosted, message, spooled
from tests.store.test_failing_disk import spoil


def look(directory: Path) -> StoreReport:
    return SqliteCare(directory).check(lambda _done, _of: None)


def found(directory: Path) -> list[tuple[str, int | None]]:
    return [(finding.kind, finding.number) for finding in look(directory).findings]


@pytest.fixture
def filled(runner: asyncio.Runner, store: SqliteStore, directory: Path) -> Path:
    """The directory of a store with mail in it, closed."""

    async def fill() -> None:
        domain_id = await hosted(store)
        await hold(store, domain_id, *range(1, 500))
        await store.reception.hold(
            [message(500, domain_id, file=await spooled(store, b"x" * 100_000))]
        )
        await store.close()

    runner.run(fill())
    return directory


def content_file(directory: Path) -> Path:
    [file] = directory.glob("content/*/*")
    return file


def test_a_sound_store_is_said_to_be_sound(filled: Path) -> None:
    report = look(filled)
    assert report.is_sound
    assert not report.is_in_use
    assert (report.messages, report.contents_read, report.orphans) == (500, 500, [])
    assert report.octets == 500 * len(CONTENT) + 100_000


async def test_a_store_in_use_is_looked_at_as_well(store: SqliteStore, directory: Path) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    under_way = await spooled(store, b"not held yet")
    report = look(directory)
    assert report.is_sound
    assert report.is_in_use
    assert (report.messages, report.orphans) == (2, [under_way.name])
    await hold(store, domain_id, 3)


def test_looking_leaves_the_store_to_be_opened(filled: Path, runner: asyncio.Runner) -> None:
    from restante.store.sqlite import open_sqlite  # noqa: PLC0415

    look(filled)
    runner.run(runner.run(open_sqlite(filled)).close())


def test_content_that_changed_is_found(filled: Path) -> None:
    spoil(filled, "UPDATE message SET head = x'00' WHERE number = 7")
    assert found(filled) == [("content", 7)]


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_content_file_that_is_not_whole_is_found(filled: Path, damage: str) -> None:
    file = content_file(filled)
    octets = bytearray(file.read_bytes())
    octets[50_000] ^= 1
    left: dict[str, bytes] = {"flipped": bytes(octets), "cut": bytes(octets[:99_999]), "gone": b""}
    file.write_bytes(left[damage])
    if damage == "gone":
        file.unlink()
    assert found(filled) == [("content", 500)]


def test_figures_that_do_not_agree_with_a_recount_are_found(filled: Path) -> None:
    spoil(filled, "UPDATE usage SET messages = messages + 1")
    [finding] = look(filled).findings
    assert finding.kind == "figures"
    assert "kept (501," in finding.text


@pytest.mark.parametrize("name", ["reports", "notices"])
def test_a_count_of_what_waits_that_does_not_agree_with_a_recount_is_found(
    filled: Path, name: str
) -> None:
    spoil(filled, f"UPDATE counter SET value = 7 WHERE name = '{name}'")
    [finding] = look(filled).findings
    assert (finding.kind, finding.text) == ("figures", f"{name} that wait: kept 7, counted 0")


def test_a_store_that_awaits_its_upgrade_is_sound(tmp_path: Path) -> None:
    connection = apsw.Connection(str(tmp_path / "restante.db"))
    migrations.migrate(connection, migrations.MIGRATIONS[:1])
    connection.close()
    assert found(tmp_path) == []


def test_a_newer_schema_is_found(filled: Path) -> None:
    spoil(filled, "PRAGMA user_version = 99")
    assert [kind for kind, _ in found(filled)] == ["schema"]


@pytest.mark.parametrize("left", [0, 100, PAGE_SIZE * 3])
def test_a_database_that_was_cut_is_found(filled: Path, left: int) -> None:
    path = filled / "restante.db"
    path.write_bytes(path.read_bytes()[:left])
    assert "database" in {kind for kind, _ in found(filled)}


def test_pages_of_noise_are_found(filled: Path) -> None:
    path = filled / "restante.db"
    octets = path.read_bytes()
    path.write_bytes(octets[: -4 * PAGE_SIZE] + b"\xff" * 4 * PAGE_SIZE)
    assert "database" in {kind for kind, _ in found(filled)}


def test_all_that_can_be_looked_at_is_looked_at_beside_a_part_that_cannot(filled: Path) -> None:
    spoil(filled, "UPDATE message SET head = x'00' WHERE number = 7")
    path = filled / "restante.db"
    with closing(apsw.Connection(str(path))) as connection:
        [(root,)] = connection.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'usage'"
        ).fetchall()
    assert isinstance(root, int)
    with path.open("r+b") as file:
        file.seek((root - 1) * PAGE_SIZE)
        file.write(b"\xff" * PAGE_SIZE)
    report = look(filled)
    assert ("content", 7) in [(finding.kind, finding.number) for finding in report.findings]
    assert (report.contents_read, report.orphans) == (500, [])


def test_files_are_not_called_without_a_row_where_the_rows_cannot_be_read(filled: Path) -> None:
    """Somebody could remove them."""
    path = filled / "restante.db"
    path.write_bytes(b"\xff" * path.stat().st_size)
    assert look(filled).orphans == []


def test_a_database_that_is_gone_is_found(filled: Path) -> None:
    (filled / "restante.db").unlink()
    report = look(filled)
    assert not report.is_sound
    assert report.orphans == []
    with pytest.raises(apsw.CantOpenError):
        apsw.Connection(
            str(filled / "restante.db"), flags=apsw.SQLITE_OPEN_READONLY
        )  # nor was one made
