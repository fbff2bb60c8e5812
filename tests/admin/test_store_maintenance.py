"""The copy, the check and the salvage of a store, as they are asked for and shown."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.store_maintenance import (
    BackupOrder,
    KeyToTry,
    backup,
    check_store,
    salvage_store,
    upgrade_store,
)
from restante.mail.message import message_name
from restante.store.choice import open_store, store_care
from restante.store.sealing.sealed_store import seal_store
from restante.store.store_care import StoreCare
from restante.store.store_errors import StoreError
from restante.tenancy.principal import COMMAND_LINE, Principal, Role
from restante.tenancy.sealed_secrets import Vault
from tests.actors import actor_named
from tests.admin.admin_world import AdminWorld, run
from tests.contract.making import hosted, message, spooled

OPERATOR = Principal(Role.OPERATOR, actor_named("operator"), COMMAND_LINE)
ALICE = Principal(Role.ACCOUNT, actor_named("token a"), "https", "alpha")


def url(directory: Path) -> str:
    """The URL of the store in a directory."""
    return f"sqlite://{directory}"


def care(directory: Path) -> StoreCare:
    """The care of the store in a directory."""
    return store_care(url(directory))


def filled(directory: Path) -> Path:
    """A store with one message whose content is in a file; return the file."""

    async def story() -> Path:
        store = await open_store(f"sqlite://{directory}")
        file = await spooled(store, b"content")
        await store.reception.hold([message(7, await hosted(store), file=file)])
        await store.close()
        return directory / "content" / file.name

    return asyncio.run(story())


def test_a_copy_is_asked_for_by_a_whole_path() -> None:
    with pytest.raises(AdminError, match="give the whole path") as caught:
        run(backup(AdminWorld().context, BackupOrder(directory="copy")))
    assert caught.value.kind is ErrorKind.INVALID


def test_a_store_that_cannot_be_copied_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing to copy"):
        run(backup(AdminWorld().context, BackupOrder(directory=str(tmp_path))))


def test_a_sound_store_is_shown_as_sound(tmp_path: Path) -> None:
    filled(tmp_path)
    seen: list[tuple[int, int]] = []
    view = check_store(OPERATOR, care(tmp_path), lambda done, of: seen.append((done, of)), None)
    assert (view.is_sound, view.findings, view.messages, view.contents_read) == (True, [], 1, 1)
    assert (view.key_fingerprint, view.is_key_alone_wrong) == (None, False)
    assert view.schema_version == view.schema_known
    assert seen[-1] == (1, 1)


def test_a_finding_names_its_message(tmp_path: Path) -> None:
    filled(tmp_path).unlink()
    view = check_store(OPERATOR, care(tmp_path), lambda _done, _of: None, None)
    [finding] = view.findings
    assert (finding.kind, finding.message) == ("content", message_name(7))
    assert not view.is_sound


def test_a_wrong_key_alone_is_told_apart_from_damage(tmp_path: Path) -> None:
    """With damage too, the data counts."""

    async def story() -> Path:
        store = await open_store(url(tmp_path))
        sealing = await seal_store(store, Vault(bytes(32)), key_file="", seals=True)
        file = await spooled(sealing, b"content")
        await sealing.reception.hold([message(7, await hosted(sealing), file=file)])
        await sealing.close()
        return tmp_path / "content" / file.name

    file = asyncio.run(story())
    for name, octets, is_right in (("own", bytes(32), True), ("other", b"\1" * 32, False)):
        key = KeyToTry(Vault(octets), name)
        view = check_store(OPERATOR, care(tmp_path), lambda _done, _of: None, key)
        assert (view.is_sound, view.is_key_alone_wrong) == (is_right, not is_right)
        assert view.key_fingerprint == key.vault.fingerprint
    file.unlink()
    view = check_store(OPERATOR, care(tmp_path), lambda _done, _of: None, key)
    assert [one.kind for one in view.findings] == ["content", "key"]
    assert not view.is_key_alone_wrong


def test_salvaged_and_lost_mail_is_shown(tmp_path: Path) -> None:
    filled(tmp_path / "store").unlink()
    view = salvage_store(OPERATOR, care(tmp_path / "store"), tmp_path / "new", lambda _count: None)
    assert (view.is_whole, view.messages, view.directory) == (False, 0, str(tmp_path / "new"))
    assert [one.message for one in view.lost] == [message_name(7)]
    assert view.schema_before == view.schema_now


ACTS: dict[str, Callable[[Path], object]] = {
    "backup": lambda path: run(
        backup(AdminWorld().context.acting(ALICE), BackupOrder(directory=str(path)))
    ),
    "check": lambda path: check_store(ALICE, care(path), lambda _done, _of: None, None),
    "salvage": lambda path: salvage_store(ALICE, care(path), path / "new", lambda _count: None),
    "upgrade": lambda path: upgrade_store(ALICE, care(path)),
}


@pytest.mark.parametrize("act", ACTS)
def test_only_operators_look_after_the_store(tmp_path: Path, act: str) -> None:
    with pytest.raises(AdminError) as caught:
        ACTS[act](tmp_path)
    assert caught.value.kind is ErrorKind.NOT_ALLOWED
    assert list(tmp_path.iterdir()) == []
