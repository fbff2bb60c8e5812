"""A store that a newer program has upgraded: the text names the way on and the way back."""

from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from restante import __version__
from restante.store.sqlite import migrations
from restante.store.sqlite.newer_schema import PREFIX, check_not_newer, newer_schema
from restante.store.store_errors import StoreMismatched

KNOWN = len(migrations.MIGRATIONS)
DROP = "DROP TABLE schema_program"


def newer(*statements: str) -> apsw.Connection:
    """Return a database as a newer program leaves it."""
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    for statement in statements:
        connection.execute(statement)
    connection.pragma("user_version", KNOWN + 2)
    return connection


def made_by(program: str) -> str:
    return f"INSERT INTO schema_program VALUES ({KNOWN + 2}, '{program}')"


def test_tables_that_this_program_knows_are_no_problem(tmp_path: Path) -> None:
    connection = apsw.Connection(":memory:")
    migrations.migrate(connection)
    assert newer_schema(connection, tmp_path) == ""
    check_not_newer(connection, tmp_path)


@pytest.mark.parametrize(
    ("statement", "remedy"),
    [
        (made_by("7.0.0"), "install Restante 7.0.0, which upgraded it, or a later one"),
        (made_by(__version__), f"install a later state of Restante {__version__}"),
        ("DELETE FROM schema_program", "install the version of Restante that upgraded it"),
        (DROP, "install the version of Restante that upgraded it"),
    ],
)
def test_the_version_that_is_needed_is_named(tmp_path: Path, statement: str, remedy: str) -> None:
    text = newer_schema(newer(statement), tmp_path)
    assert text.startswith(f"{tmp_path}: the store has schema {KNOWN + 2}, and this version")
    assert f"({__version__}) knows {KNOWN}; {remedy}" in text
    assert "restore a backup made before the upgrade" in text
    assert "\n" not in text


def whole(copy: Path) -> None:
    copy.mkdir()
    (copy / "restante.db").touch()


@pytest.mark.parametrize(
    ("schema", "make", "is_named"),
    [
        (KNOWN, whole, True),
        (KNOWN - 1, whole, True),
        (KNOWN + 1, whole, False),  # this program cannot open it either
        (KNOWN, Path.mkdir, False),  # interrupted
    ],
)
def test_the_copy_before_the_upgrade_is_named_if_it_can_be_used(
    tmp_path: Path, schema: int, make: Callable[[Path], None], *, is_named: bool
) -> None:
    copy = tmp_path / f"{PREFIX}{schema}"
    make(copy)
    with pytest.raises(StoreMismatched) as refused:
        check_not_newer(newer(), tmp_path)
    assert (f"go back to the copy before the upgrade, {copy}," in str(refused.value)) is is_named


def test_of_two_copies_the_newest_is_named(tmp_path: Path) -> None:
    for schema in (KNOWN - 9, KNOWN - 1, KNOWN - 5):
        whole(tmp_path / f"{PREFIX}{schema}")
    with pytest.raises(StoreMismatched, match=rf"{PREFIX}{KNOWN - 1}, which lacks"):
        check_not_newer(newer(), tmp_path)
