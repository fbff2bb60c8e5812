"""`restante key`: the fingerprint, the confirmation of a copy, and a new key for all held mail."""

import asyncio
import json
import os
import pwd
import select
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from restante.cli.failures import Failure
from restante.cli.offline_admin import open_offline_admin
from restante.config.load import load
from restante.config.privileges import _closed_directory
from restante.store.queue_store import MessageBounce
from restante.store.sealing.key_ring import KeyRing
from restante.store.sealing.report_seals import ReportSeals
from restante.tenancy.sealed_secrets import KEY_OCTETS, Vault, verifier_owner
from tests.cli.conftest import Command, Outcome
from tests.contract.making import ANNA, CONTENT, NOTED, hosted, message, report


async def _hold(directory: Path) -> None:
    async with open_offline_admin(load(directory / "restante.toml", {})) as context:
        id_ = await hosted(context.store)
        await context.store.reception.hold([message(1, id_), message(2, id_)])
        await context.store.queue.bounce([MessageBounce(2, (ANNA,), report(2, id_))], NOTED)


async def _head(directory: Path) -> bytes:
    async with open_offline_admin(load(directory / "restante.toml", {})) as context:
        found = await context.store.queue.message(1)
        assert found is not None
        stored = (directory / "data" / "restante.db").read_bytes()
        told = await context.store.reports.report(1)
        assert told is not None
        assert told.content == report(2, 1).content
        assert CONTENT not in stored
        assert told.content not in stored
        return found.head


async def _opens_all(directory: Path) -> bool:
    async with open_offline_admin(load(directory / "restante.toml", {})) as context:
        verifier = context.directory.now.logins["ann"].sealed_verifier or b""
        return bool(context.vault.open(verifier, verifier_owner("ann")))


@pytest.fixture
def made(tmp_path: Path, command: Command) -> Path:
    """A new installation."""
    said = command("init", "--dir", tmp_path, "--hostname", "mx2.example.net").out
    assert f"copy {tmp_path}/restante.key to another place" in said
    return tmp_path


def test_status_of_the_copy_is_shown_confirmed_and_compared(
    made: Path, tmp_path: Path, command: Command
) -> None:
    config = ("--config", made / "restante.toml")
    first = json.loads(command("key", "show", "--json", *config).out)
    assert first["seals_content"]
    assert not first["is_copy_confirmed"]
    assert "no copy of it was confirmed" in command("config", "check", *config).err
    other = tmp_path / "other.key"
    other.write_bytes(b"\1" * KEY_OCTETS)
    other.chmod(0o600)
    refused = command("key", "confirm-copied", other, *config)
    assert refused.code == 65
    assert f"{other}: is not a copy of {made}/restante.key; copy it again" in refused.err
    itself = command("key", "confirm-copied", made / "restante.key", *config)
    assert (itself.code, "is the key file itself" in itself.err) == (65, True)
    absent = command("key", "confirm-copied", made / "none", *config)
    assert (absent.code, "No such file or directory; name the copy" in absent.err) == (66, True)
    other.write_bytes((made / "restante.key").read_bytes())
    assert first["fingerprint"] in command("key", "confirm-copied", other, *config).out
    shown = command("key", "show", *config).out
    assert "confirmed" in shown
    assert "not confirmed" not in shown
    assert "no copy of it was confirmed" not in command("config", "check", *config).err


def test_after_a_rotation_mail_is_readable_and_the_former_key_alone_opens_it_no_more(
    made: Path, command: Command
) -> None:
    config = ("--config", made / "restante.toml")
    key = made / "restante.key"
    asyncio.run(_hold(made))
    before = key.read_bytes()
    command("key", "confirm-copied", *config)
    command("account", "add", "alpha-2", *config)
    login = ("login", "add", "alpha-2", "ann", "--password-stdin", *config)
    assert command(*login, stdin="the password of ann").code == 0
    rotated = command("key", "rotate", *config)
    assert rotated.code == 0, rotated.err
    assert key.read_bytes()[KEY_OCTETS:] == before
    assert not json.loads(command("key", "show", "--json", *config).out)["is_copy_confirmed"]
    assert asyncio.run(_head(made)) == CONTENT
    key.write_bytes(key.read_bytes()[:KEY_OCTETS])  # the store needs no former key
    assert asyncio.run(_head(made)) == CONTENT
    assert asyncio.run(_opens_all(made))
    key.write_bytes(before)
    with pytest.raises(Failure, match=r"restante\.key: the mail of this store is sealed under"):
        asyncio.run(_head(made))


def test_a_rotation_that_ended_behind_the_file_is_completed_by_the_next(
    made: Path, command: Command
) -> None:
    key = made / "restante.key"
    asyncio.run(_hold(made))
    key.write_bytes(b"\1" * KEY_OCTETS + key.read_bytes())  # a crash after this line
    assert asyncio.run(_head(made)) == CONTENT
    assert command("key", "rotate", "--config", made / "restante.toml").code == 0
    first = Vault(key.read_bytes()[:KEY_OCTETS])

    async def check() -> None:
        async with open_offline_admin(load(made / "restante.toml", {})) as context:
            await KeyRing(context.store.keys, first).check()
            [told] = await context.store.reports.sealed_reports(0, 10)
            assert ReportSeals(first).opened(told).content == report(2, 1).content

    asyncio.run(check())


@pytest.mark.parametrize("seals", [True, False])
def test_reports_in_clear_are_sealed_by_a_rotation_if_mail_is(
    made: Path, command: Command, *, seals: bool
) -> None:
    config = made / "restante.toml"
    sealing = config.read_text()
    clear = sealing.replace("seal_content = true", "seal_content = false")
    assert clear != sealing
    config.write_text(clear)
    asyncio.run(_hold(made))
    config.write_text(sealing if seals else clear)
    assert command("key", "rotate", "--config", config).code == 0

    async def check() -> None:
        async with open_offline_admin(load(config, {})) as context:
            plain = await context.store.reports.plain_reports(0, 10)
            assert [one.about for one in plain] == ([] if seals else [2])
            told = await context.store.reports.report(1)
            assert told is not None
            assert told.content == report(2, 1).content

    asyncio.run(check())


def test_no_rotation_begins_where_the_store_cannot_be_opened(
    made: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1)  # the child of root has an output of its own
    before = (made / "restante.key").read_bytes()

    async def beside() -> Outcome:
        async with open_offline_admin(load(made / "restante.toml", {})):
            run = asyncio.to_thread(command, "key", "rotate", "--config", made / "restante.toml")
            return await run

    refused = asyncio.run(beside())
    assert refused.code == 69
    assert refused.err == (
        f"restante: {made}/data is in use by process {os.getpid()}: stop the server first, then run"
        " this again\n"
    )
    assert (made / "restante.key").read_bytes() == before


ROTATE: Final = """
import os, signal, sys
from restante.cli import main
from restante.store.sealing import key_rotation

async def stop(*_):
    print("sealing as", os.getuid(), flush=True)
    signal.pause()

key_rotation.seal_keys_again = stop
main(["key", "rotate"])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_after_a_kill_no_child_has_the_store(installation: Path, command: Command) -> None:
    user = pwd.getpwnam("nobody")
    program = Path(sys.prefix) / "any"
    if closed := _closed_directory(program, user.pw_uid, {user.pw_gid}):
        pytest.skip(f"{user.pw_name} cannot enter {closed}")
    installation.parent.chmod(0o755)
    for place in (installation / "data", *(installation / "data").rglob("*")):
        os.chown(place, user.pw_uid, user.pw_gid)
    config = installation / "restante.toml"
    config.write_text(f'user = "{user.pw_name}"\n{config.read_text()}')
    rotating = [sys.executable, "-c", ROTATE]
    with subprocess.Popen(rotating, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == f"sealing as {user.pw_uid}\n"
        parent.kill()
        ended, _, _ = select.select([parent.stdout], [], [], 60)
        assert ended, "the child is still there, and has the pipe open"
    assert command("key", "rotate").code == 0
