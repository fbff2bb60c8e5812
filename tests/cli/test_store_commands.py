"""`restante store`, with no server running."""

import asyncio
import json
import shutil
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from restante.admin.store_maintenance import PlannedCopyView
from restante.cli.failures import Exit
from restante.cli.store_commands import _time
from tests.cli.conftest import Command, Outcome
from tests.postgres_cluster import PostgresCluster
from tests.released.fixtures import DIRECTORY as FIXTURES
from tests.released.fixtures import write_sqlite


def test_a_new_store_is_sound(command: Command, installation: Path) -> None:
    checked = command("store", "check")
    assert checked.code == Exit.DONE
    assert "none: it is sound" in checked.out
    assert json.loads(command("store", "check", "--json").out)["is_sound"] is True


def test_a_store_that_cannot_be_opened_is_checked_all_the_same(
    command: Command, installation: Path
) -> None:
    (installation / "data" / "restante.db").write_bytes(b"no database" * 1000)
    checked = command("store", "check", "--json")
    assert checked.code == Exit.DATA
    [finding] = json.loads(checked.out)["findings"]
    assert finding["kind"] == "database"
    assert "not a database" in finding["text"]


def test_the_key_file_of_another_store_is_told_with_the_code_of_a_start(
    command: Command, installation: Path
) -> None:
    secret = ("login", "add", "alpha", "ann", "--password-stdin")
    assert command(*secret, stdin="the password of ann").code == Exit.DONE
    key = installation / "restante.key"
    own = key.read_bytes()
    key.write_bytes(b"\1" * len(own))
    checked = command("store", "check")
    assert checked.code == Exit.CONFIGURATION
    assert "sound" not in checked.out
    assert f"key: {key}: the passwords and secrets of this store are sealed under" in checked.out
    view = json.loads(command("store", "check", "--json").out)
    assert (view["is_sound"], view["is_key_alone_wrong"]) == (False, True)
    assert view["key_fingerprint"] in command("key", "show").out
    key.unlink()
    untried = command("store", "check")
    assert untried.code == Exit.DONE
    assert f"warning: the key file was not tried: {key}: is not there" in untried.err
    key.write_bytes(own)
    key.chmod(0o600)
    assert "none: it is sound" in command("store", "check").out


def test_damaged_data_counts_more_than_a_key_file(command: Command, installation: Path) -> None:
    secret = ("login", "add", "alpha", "ann", "--password-stdin")
    assert command(*secret, stdin="the password of ann").code == Exit.DONE
    key = installation / "restante.key"
    key.write_bytes(b"\1" * key.stat().st_size)
    with closing(apsw.Connection(str(installation / "data" / "restante.db"))) as connection:
        connection.execute("UPDATE counter SET value = 7 WHERE name = 'reports'")
    checked = command("store", "check", "--json")
    assert checked.code == Exit.DATA
    kinds = [finding["kind"] for finding in json.loads(checked.out)["findings"]]
    assert kinds == ["figures", "key"]


def test_a_copy_takes_the_place_of_the_store(command: Command, installation: Path) -> None:
    assert command("store", "backup", installation / "copy").code == Exit.DONE
    (installation / "data").rename(installation / "old")
    (installation / "copy").rename(installation / "data")
    assert "alpha.example" in command("domain", "list").out
    assert command("store", "check").code == Exit.DONE


def test_a_store_on_sqlite_is_upgraded_by_its_server(command: Command, installation: Path) -> None:
    refused = command("store", "upgrade")
    assert refused.code == Exit.UNAVAILABLE
    assert "upgraded by the start of its server" in refused.err
    planned = command("store", "upgrade", "--dry-run")
    assert planned.code == Exit.DONE
    assert "already; an upgrade changes nothing" in planned.out


def test_a_dry_run_of_an_upgrade_lists_its_steps_and_its_copy(
    command: Command, installation: Path
) -> None:
    shutil.rmtree(installation / "data")
    write_sqlite(FIXTURES / "sqlite-051.sql", installation)
    planned = command("store", "upgrade", "--dry-run")
    assert planned.code == Exit.DONE
    assert "the store has schema 51; an upgrade would bring" in planned.out
    assert "52  Note which version of Restante upgraded the store" in planned.out
    assert "2 messages" in planned.out
    assert "less than a minute; no mail is accepted meanwhile" in " ".join(planned.out.split())
    view = json.loads(command("store", "upgrade", "--dry-run", "--json").out)
    assert view["steps"][0]["schema_after"] == 52
    copy = view["copy_before"]
    assert copy["directory"] == str(installation / "data" / "before-upgrade-from-schema-51")
    assert copy["has_room"] is (copy["octets"] <= copy["octets_free"])
    assert not Path(copy["directory"]).exists()


def test_the_time_of_an_upgrade_is_a_range_by_the_size() -> None:
    copy = PlannedCopyView(directory="/x", octets=10_000_000_000, octets_free=0, has_room=False)
    assert _time(copy) == "about 1m 00s to 25m 00s, by the disk; no mail is accepted meanwhile"


def test_a_command_says_that_it_upgrades_the_store(command: Command, installation: Path) -> None:
    shutil.rmtree(installation / "data")
    write_sqlite(FIXTURES / "sqlite-051.sql", installation)
    first, second = command("domain", "list"), command("domain", "list")
    assert first.err.startswith("restante: the store has schema 51; this upgrades it to ")
    assert "this upgrades" not in second.err


def test_an_upgrade_without_room_for_its_copy_is_told_beforehand(
    command: Command, installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(installation / "data")
    write_sqlite(FIXTURES / "sqlite-051.sql", installation)
    monkeypatch.setattr("restante.store.sqlite.upgrade_plan.room_for_copy", lambda _: 1024)
    planned = command("store", "upgrade", "--dry-run")
    assert planned.code == Exit.UNAVAILABLE
    words = " ".join(planned.out.split())
    assert "1.0 KiB free: too little, the server would not start" in words


@pytest.mark.parametrize(
    "words",
    [
        ("store", "upgrade", "--dry-run"),
        ("domain", "list"),
    ],
    ids=" ".join,
)
def test_a_program_that_is_too_old_names_the_remedy(
    command: Command, installation: Path, words: tuple[str, ...]
) -> None:
    make_newer(installation)
    check_refused(command(*words))


def test_a_program_that_is_too_old_salvages_nothing(command: Command, installation: Path) -> None:
    make_newer(installation)
    check_refused(command("store", "salvage", installation / "new"))


def check_refused(refused: Outcome) -> None:
    assert refused.code == Exit.CONFIGURATION
    assert "knows" in refused.err
    assert "; install Restante 7.0.0, which upgraded it, or a later one, or" in refused.err


def test_a_check_by_a_program_that_is_too_old_is_no_damage(
    command: Command, installation: Path
) -> None:
    make_newer(installation)
    checked = command("store", "check")
    assert checked.code == Exit.CONFIGURATION
    assert "install Restante 7.0.0" in checked.out


def make_newer(installation: Path) -> None:
    """Have Restante 7.0.0 upgrade the store."""
    with closing(apsw.Connection(str(installation / "data" / "restante.db"))) as connection:
        connection.execute("INSERT INTO schema_program VALUES (9999, '7.0.0')")
        connection.pragma("user_version", 9999)


def test_a_store_in_a_database_is_upgraded_and_left_to_its_tools(
    command: Command,
    installation: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres_cluster: PostgresCluster,
) -> None:
    monkeypatch.setenv("RESTANTE_STORE", postgres_cluster.url("postgres"))
    monkeypatch.setenv("RESTANTE_STATE_DIR", str(installation / "data"))
    monkeypatch.setenv("RESTANTE_RPO", "accept-loss")
    assert command("store", "upgrade").code == Exit.UNAVAILABLE
    name = asyncio.run(postgres_cluster.create())
    monkeypatch.setenv("RESTANTE_STORE", postgres_cluster.url(name))
    assert command("account", "add", "alpha").code == Exit.DONE  # which makes the tables
    assert "alpha" in command("account", "list").out
    planned = command("store", "upgrade", "--dry-run")
    assert (planned.code, "an upgrade changes nothing" in planned.out) == (Exit.DONE, True)
    assert "already; nothing was changed" in command("store", "upgrade").out
    oldest = "UPDATE restante_schema SET version = 9999, oldest = {}, program = '7.0.0'"
    asyncio.run(postgres_cluster.execute(oldest.format(9999), name))
    for option in (("--dry-run",), ()):
        refused = command("store", "upgrade", *option)
        assert refused.code == Exit.CONFIGURATION
        assert "install Restante 7.0.0, which upgraded it" in refused.err
    asyncio.run(postgres_cluster.execute(oldest.format(1), name))
    assert command("account", "list").code == Exit.DONE  # the newer one allows it
    for words, remedy in (
        (("check",), "pg_amcheck"),
        (("salvage", installation / "new"), "a backup of PostgreSQL"),
        (("backup", installation / "copy"), "`restante queue export`"),
    ):
        refused = command("store", *words)
        assert refused.code != Exit.DONE
        assert remedy in refused.err
    asyncio.run(postgres_cluster.drop(name))


def test_nothing_is_overwritten_by_a_copy(command: Command, installation: Path) -> None:
    refused = command("store", "backup", installation)
    assert refused.code == Exit.CANNOT_CREATE
    assert refused.err.endswith("the directory is not empty; name an empty or a new one\n")


def test_the_readable_part_of_a_damaged_store_becomes_a_new_one(
    command: Command, installation: Path
) -> None:
    database = installation / "data" / "restante.db"
    database.write_bytes(bytes(100) + database.read_bytes()[100:])
    refused = command("domain", "list")
    assert refused.code == Exit.DATA
    assert "restante store salvage DIR" in refused.err
    salvaged = command("store", "salvage", installation / "new", "--json")
    assert salvaged.code == Exit.DATA
    view = json.loads(salvaged.out)
    assert (view["is_whole"], view["messages"]) == (False, 0)
    assert [finding["kind"] for finding in view["lost"]] == ["database"]
    (installation / "data").rename(installation / "old")
    (installation / "new").rename(installation / "data")
    assert "alpha.example" in command("domain", "list").out


def test_a_sound_store_is_salvaged_whole_and_nothing_is_overwritten(
    command: Command, installation: Path
) -> None:
    salvaged = command("store", "salvage", installation / "new")
    assert salvaged.code == Exit.DONE
    assert "nothing: it is whole" in salvaged.out
    again = command("store", "salvage", installation / "new")
    assert again.code == Exit.CANNOT_CREATE
    assert "the directory is not empty" in again.err
