"""Tokens of the API: kept as they were put, told as changes, and gone with their account."""

import ipaddress
from dataclasses import replace

import pytest

from restante.store.interface import Store
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.api_token import ApiToken, hash_secret
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.numbered_change import NumberedChange, RecordKind
from tests.contract.making import NOTED, account

TOKEN = ApiToken(
    id="k3v9x0q2ma",
    account="alpha",
    name="ci",
    secret_hash=hash_secret("secret"),
    grants=frozenset({Scope.QUEUE_READ, Scope.RELEASE}),
    created_by="operator root — ünïcode",
    created_at=1700000000.5,
    domains=("alpha.example", "two.alpha.example"),
    networks=(ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32")),
    expires_at=1731536000.25,
    maker="m000000000",
)
OWN = ApiToken(
    "o000000000", "", "own", hash_secret("x"), frozenset({GrantedRole.OPERATOR}), "operator", 1.0
)


async def test_a_token_comes_back_as_it_was(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_token(TOKEN, NOTED)
    await store.records.put_token(OWN, NOTED)
    directory = await store.records.directory()
    assert directory.tokens == {TOKEN.id: TOKEN, OWN.id: OWN}
    assert (list(directory.tokens_of("alpha")), list(directory.tokens_of(""))) == ([TOKEN], [OWN])


async def test_a_token_is_replaced_by_its_id(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_token(TOKEN, NOTED)
    await store.records.put_token(TOKEN.revoked(1700000001.0), NOTED)
    assert (await store.records.directory()).tokens == {TOKEN.id: TOKEN.revoked(1700000001.0)}


async def test_a_token_is_not_added_beside_one_that_the_caller_does_not_know(store: Store) -> None:
    """So two servers cannot add two of one name."""
    await store.records.put_account(account(), NOTED)
    await store.records.put_token(OWN, NOTED, known=())
    await store.records.put_token(TOKEN, NOTED, known={"gone"})
    second = replace(TOKEN, id="s000000000")
    with pytest.raises(Overtaken):
        await store.records.put_token(second, NOTED, known={OWN.id})
    assert set((await store.records.directory()).tokens) == {TOKEN.id, OWN.id}
    await store.records.put_token(second, NOTED, known={TOKEN.id, "gone"})


async def test_a_token_needs_its_account(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.records.put_token(TOKEN, NOTED)
    assert (await store.records.directory()).tokens == {}


async def test_a_token_never_moves_to_another_account(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_account(account("beta"), NOTED)
    await store.records.put_token(TOKEN, NOTED)
    for other in ("beta", ""):
        with pytest.raises(Conflict):
            await store.records.put_token(replace(TOKEN, account=other), NOTED)
    assert (await store.records.directory()).tokens == {TOKEN.id: TOKEN}


async def test_each_change_of_a_token_is_told(store: Store) -> None:
    await store.records.put_token(OWN, NOTED)
    number = (await store.records.directory()).change_number
    assert await store.records.changes_since(number - 1) == [
        NumberedChange(number, RecordKind.TOKEN, OWN.id, OWN)
    ]
    await store.records.remove_tokens([OWN.id, "unknown000"])
    assert await store.records.changes_since(number) == [
        NumberedChange(number + 1, RecordKind.TOKEN, OWN.id, None)
    ]


async def test_an_account_is_removed_with_its_tokens(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_token(TOKEN, NOTED)
    await store.records.put_token(OWN, NOTED)
    await store.records.record_token_uses({TOKEN.id: 5.0})
    before = (await store.records.directory()).change_number
    await store.records.remove_account("alpha", NOTED)
    directory = await store.records.directory()
    assert (dict(directory.accounts), dict(directory.tokens)) == ({}, {OWN.id: OWN})
    assert await store.records.token_uses() == {}
    changes = await store.records.changes_since(before)
    assert changes is not None
    assert {(one.kind, one.key, one.record) for one in changes} == {
        (RecordKind.TOKEN, TOKEN.id, None),
        (RecordKind.ACCOUNT, "alpha", None),
    }


async def test_a_removed_account_has_one_entry_in_the_trail(store: Store) -> None:
    await store.records.put_account(account(), NOTED)
    await store.records.put_token(TOKEN, NOTED)
    entries = len(await store.audit.audit())
    await store.records.remove_account("alpha", NOTED)
    assert len(await store.audit.audit()) == entries + 1


async def test_the_latest_use_is_kept_and_is_no_change(store: Store) -> None:
    await store.records.put_token(OWN, NOTED)
    number = (await store.records.directory()).change_number
    await store.records.record_token_uses({OWN.id: 7.5, "unknown000": 8.0})
    await store.records.record_token_uses({OWN.id: 6.0})
    assert await store.records.token_uses() == {OWN.id: 7.5}
    assert (await store.records.directory()).change_number == number


async def test_a_removed_token_leaves_no_use(store: Store) -> None:
    await store.records.put_token(OWN, NOTED)
    await store.records.record_token_uses({OWN.id: 7.5})
    await store.records.remove_tokens([OWN.id])
    assert await store.records.token_uses() == {}
