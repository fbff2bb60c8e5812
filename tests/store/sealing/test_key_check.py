"""A check of a store tells whether the key file is its own: for mail, reports and secrets."""

from pathlib import Path

from restante.store.queue_store import MessageBounce
from restante.store.sealing.key_check import check_key
from restante.store.sealing.sealed_store import seal_store
from restante.store.sqlite import SqliteStore
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.store_care import SealedRows
from restante.tenancy.model import Directory
from restante.tenancy.sealed_secrets import Vault, data_key_owner
from tests.contract.making import ANNA, NOTED, hosted, message, report

OWN, OTHER = Vault(bytes(32)), Vault(b"\1" * 32)
LATER = Vault(b"\2" * 32 + bytes(32))
MAIL_IS_SEALED = "/etc/k: the mail of this store is sealed under another key file; restore that"


def rows(directory: Path) -> SealedRows:
    checked = SqliteCare(directory).check(lambda *_: None)
    assert checked.is_sound
    assert checked.sealed is not None
    return checked.sealed


def texts(sealed: SealedRows, vault: Vault) -> list[str]:
    found = check_key(sealed, vault, key_file="/etc/k")
    assert {one.kind for one in found} <= {"key"}
    return [one.text for one in found]


async def test_mail_of_another_key_is_found_and_its_own_key_opens_it_also_as_a_former_one(
    store: SqliteStore, directory: Path
) -> None:
    sealing = await seal_store(store, OWN, key_file="", seals=True)
    await sealing.reception.hold([message(1, await hosted(store))])
    sealed = rows(directory)
    assert len(sealed.data_keys) == 1
    assert texts(sealed, OWN) == texts(sealed, LATER) == []
    [text] = texts(sealed, OTHER)
    assert text.startswith(MAIL_IS_SEALED)


async def test_reports_that_outlive_their_domain_tell_the_key(
    store: SqliteStore, directory: Path
) -> None:
    sealing = await seal_store(store, OWN, key_file="", seals=True)
    id_ = await hosted(store)
    await sealing.reception.hold([message(1, id_)])
    await sealing.queue.bounce([MessageBounce(1, (ANNA,), report(1, id_))], NOTED)
    sealed = rows(directory)
    alone = SealedRows({}, sealed.reports, sealed.directory)
    assert len(alone.reports) == 1
    assert texts(alone, OWN) == []
    [text] = texts(alone, OTHER)
    assert text.startswith(MAIL_IS_SEALED)


def test_a_domain_whose_key_alone_does_not_open_is_named() -> None:
    keys = {id_: (OWN.seal(bytes(32).hex(), data_key_owner(id_)),) for id_ in (1, 2)}
    keys[3] = (OTHER.seal(bytes(32).hex(), data_key_owner(3)),)
    [text] = texts(SealedRows(keys, (), Directory()), OWN)
    assert text.startswith("the data key of domain 3 cannot be opened with this key file; use")


async def test_a_store_without_anything_sealed_suits_any_key(
    store: SqliteStore, directory: Path
) -> None:
    await store.reception.hold([message(1, await hosted(store))])
    assert texts(rows(directory), OTHER) == []
