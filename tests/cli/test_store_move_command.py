"""`restante store move`, with no server running; also when it is killed."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.cli.failures import Exit
from restante.store.choice import open_store
from tests.cli.conftest import Command
from tests.contract.making import CONTENT, message, spooled
from tests.postgres_cluster import ALONE, PostgresCluster

CHECKOUT = Path(__file__).parents[2]
PHASES = ("begin", "take", "take_content", "note", "finish", "set_mark")


@pytest.fixture
def database(postgres_cluster: PostgresCluster) -> Iterator[str]:
    """The URL of a database without a store."""
    name = asyncio.run(postgres_cluster.create())
    yield postgres_cluster.url(name)
    asyncio.run(postgres_cluster.drop(name))


@pytest.fixture
def source(installation: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of the store of the installation, with mail; the configuration names a database."""
    url = f"sqlite://{installation}/data"
    asyncio.run(fill(url))
    monkeypatch.setenv("RESTANTE_STORE", "postgresql://restante@db1.example.net/restante")
    monkeypatch.setenv("RESTANTE_STATE_DIR", str(installation))
    monkeypatch.setenv("RESTANTE_RPO", "accept-loss")
    return url


async def fill(url: str) -> None:
    store = await open_store(url)
    [domain] = (await store.records.directory()).domains.values()
    file = await spooled(store, b"x" * 3_000_000)
    await store.reception.hold([message(100, domain.id, file=file), message(101, domain.id)])
    await store.close()


async def contents(url: str) -> dict[int, bytes]:
    """Return the content of all mail that a server of a store would deliver."""
    store = await open_store(url, access=ALONE)
    found = {}
    for domain in (await store.records.directory()).domains.values():
        for one in await store.handover.held(domain.id, 0, 100, 1 << 30):
            large = b""
            if one.file:
                large = b"".join([block async for block in store.content.read_file(one.file)])
            found[one.number] = one.head + large
    await store.close()
    return found


def test_a_store_is_moved_and_moved_back(
    command: Command, installation: Path, source: str, database: str
) -> None:
    moved = command("store", "move", "--from", source, "--to", database)
    assert (moved.code, moved.err) == (Exit.DONE, "")
    assert "2 messages, 2.9 MiB" in moved.out
    assert "all compared" in moved.out
    assert f'set store = "{database}"' in moved.out
    assert len(moved.out.splitlines()) == 2
    again = command("store", "move", "--from", source, "--to", database)
    assert (again.code, "already; nothing was changed" in again.out) == (Exit.DONE, True)
    back = f"sqlite://{installation}/back"
    shown = command("store", "move", "--from", database, "--to", back, "--json")
    view = json.loads(shown.out)
    assert (view["messages"], view["damaged"], len(view["digest"])) == (2, [], 64)
    found = asyncio.run(contents(back))
    assert {number: len(octets) for number, octets in found.items()}.keys() == {100, 101}
    assert found[100].endswith(b"x" * 3_000_000)


def test_no_command_uses_a_store_that_was_moved_until_that_is_undone(
    command: Command, source: str, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("store", "move", "--from", source, "--to", database).code == Exit.DONE
    monkeypatch.setenv("RESTANTE_STORE", source)
    monkeypatch.delenv("RESTANTE_RPO")
    monkeypatch.delenv("RESTANTE_STATE_DIR")
    refused = command("domain", "list")
    assert refused.code == Exit.CONFIGURATION
    assert f"was moved to {database}" in refused.err
    undone = command("store", "move", "--undo", "--from", source)
    assert undone.out == f"servers can use {source} again\n"
    assert "alpha.example" in command("domain", "list").out


@pytest.fixture(params=["there", "back"])
def way(
    request: pytest.FixtureRequest, command: Command, source: str, database: str, installation: Path
) -> tuple[str, str]:
    """The URLs of the source and the target of a move."""
    if request.param == "there":
        return source, database
    assert command("store", "move", "--from", source, "--to", database).code == Exit.DONE
    return database, f"sqlite://{installation}/back"


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_command_is_run_again(command: Command, way: tuple[str, str], phase: str) -> None:
    words = ("store", "move", "--from", way[0], "--to", way[1])
    for calls in (0, int(phase in {"take", "note"})):
        assert kill(phase, calls, *words) == -signal.SIGKILL
    ended = command(*words)
    assert (ended.code, ended.err) == (Exit.DONE, "")
    found = asyncio.run(contents(way[1]))
    assert {number: len(octets) for number, octets in found.items()} == {
        100: len(CONTENT) + 3_000_000,
        101: len(CONTENT),
    }
    assert command(*words).out.endswith("already; nothing was changed\n")


def kill(phase: str, calls: int, *words: str) -> int:
    """Run a command that is killed; return its exit code."""
    driver = [sys.executable, "-m", "tests.cli.killed_move", phase, str(calls), *words]
    return subprocess.run(driver, cwd=CHECKOUT, check=False).returncode


def test_a_move_is_given_up(command: Command, source: str, database: str) -> None:
    words = ("store", "move", "--from", source, "--to", database)
    assert kill("take", 2, *words) == -signal.SIGKILL
    undone = command("store", "move", "--undo", "--from", source, "--to", database)
    assert undone.out == f"servers can use {source} again; the other store is empty\n"
    assert command(*words).code == Exit.DONE


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--from", "{data}"], (Exit.USAGE, "--to is missing; name the store to move into")),
        (["--to", "{new}"], (Exit.USAGE, "'--from'")),
        (["--from", "ftp://x", "--to", "{new}"], (Exit.USAGE, "--from is not the URL of a store")),
        (["--from", "{data}", "--to", "{data}"], (Exit.USAGE, "--from and --to are the same")),
        (["--from", "memory:", "--to", "{new}"], (Exit.USAGE, "ends with its server")),
        (["--from", "{new}", "--to", "{data}"], (Exit.NO_INPUT, "of the store does not exist")),
        (["--from", "{data}", "--to", "{home}"], (Exit.CANNOT_CREATE, "is not empty")),
        (
            ["--from", "{data}", "--to", "postgresql://restante@127.0.0.1:9/restante"],
            (Exit.UNAVAILABLE, "the database cannot be opened"),
        ),
        (["--undo", "--from", "{data}"], (Exit.CONFIGURATION, "was not moved; there is nothing")),
    ],
)
def test_mistakes_are_named(
    command: Command, source: str, words: list[str], expected: tuple[Exit, str]
) -> None:
    installation = Path(source.removeprefix("sqlite://")).parent
    urls = {
        "data": source,
        "new": f"sqlite://{installation}/new",
        "home": f"sqlite://{installation}",
    }
    refused = command("store", "move", *(word.format(**urls) for word in words))
    assert (refused.code, refused.out) == (expected[0], "")
    assert expected[1] in refused.err
    assert len(refused.err.splitlines()) == 1
