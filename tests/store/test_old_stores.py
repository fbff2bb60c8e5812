"""A store of an earlier version opens, and everything in it is what was put there."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from restante.config.key_file import read_key
from restante.mail.dsn_request import Notify, Ret
from restante.queue.recipient_status import RecipientStatus
from restante.store.figure_store import DomainUsage
from restante.store.queue_store import QueueFilter
from restante.store.report_store import ReportFilter
from restante.store.sqlite import SqliteStore, open_sqlite
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.tenancy.model import TlsUse
from restante.tenancy.passwords import password_matches
from restante.tenancy.policy import AtEnd, RecipientPolicy, Retention
from restante.tenancy.quota import Quota
from restante.tenancy.sealed_secrets import Vault, channel_owner, destination_owner, login_owner
from tests.contract.making import (
    all_held,
    content,
    delivered,
    held_numbers,
    hold,
    last_number,
    taken_over,
)
from tests.store.damage_report import DamageReport
from tests.store.old_stores import FIRST, unpack

ANNA, BERT = "anna@alpha.example", "bert@alpha.example"


@pytest.fixture
def store(runner: asyncio.Runner, tmp_path: Path, damage: DamageReport) -> Iterator[SqliteStore]:
    """The store of the first version that has one here."""
    store = runner.run(open_sqlite(unpack(FIRST, tmp_path), on_damage=damage))
    yield store
    runner.run(store.close())


async def test_its_records_are_read(store: SqliteStore) -> None:
    found = await store.records.directory()
    assert {one.name: (one.empty_reply, one.quota.octets) for one in found.accounts.values()} == {
        "alpha": (251, 10_000_000),
        "beta": (250, None),
    }
    assert set(found.domains) == {"alpha.example", "beta.example"}
    assert found.domains["alpha.example"].destination.text == "127.0.0.1:2626"
    assert found.domains["alpha.example"].authorized_hosts.texts == (
        "192.0.2.0/24",
        "127.0.0.1",
        "mail.alpha.example",
    )
    policy, destination = (
        found.domains["beta.example"].policy,
        found.domains["beta.example"].destination,
    )
    assert (policy.recipients, policy.quota) == (RecipientPolicy.LIST, Quota(messages=1000))
    assert policy.suspension is not None
    assert policy.retention == Retention(30 * 86400.0, AtEnd.DELETE)
    assert (destination.tls, destination.key_pins) == (TlsUse.VERIFY, ("ab" * 32,))


async def test_its_secrets_open_with_its_key(store: SqliteStore, tmp_path: Path) -> None:
    vault, found = Vault(read_key(tmp_path / "key")), await store.records.directory()
    alice, beta, [channel] = (
        found.logins["alice"],
        found.domains["beta.example"],
        found.channels.values(),
    )
    assert vault.open(alice.sealed_secret or b"", login_owner("alice")) == "password of alice"
    assert password_matches(found.logins["bob"].password_hash, "password of bob")
    assert beta.destination.login is not None
    assert (
        vault.open(beta.destination.login.sealed_password, destination_owner("beta.example"))
        == "hop"
    )
    assert "secret" in vault.open(channel.sealed or b"", channel_owner("", "ops"))


async def test_its_mail_is_held_and_refused_as_it_was(
    store: SqliteStore, damage: DamageReport
) -> None:
    domains = (await store.records.directory()).domains
    held = {one.number: one for one in await all_held(store, domains["alpha.example"].id)}
    assert sorted(held) == [2, 3, 4, 5, 8, 9, 11]
    assert {number: held[number].envelope.forward_paths for number in (2, 8)} == {
        2: (BERT,),
        8: (ANNA,),
    }
    assert held[4].envelope.needs_smtputf8
    assert held[11].head.endswith(b"x" * 200_000 + b"\r\n")
    dsn = held[3].envelope.dsn
    assert dsn is not None
    assert (dsn.ret, dsn.of(ANNA).notify) == (Ret.HDRS, Notify.FAILURE | Notify.DELAY)
    refused = await store.queue.list_queue(QueueFilter(status=RecipientStatus.REFUSED))
    assert [(one.number, [who.reply for who in one.recipients]) for one in refused] == [
        (7, ["550 5.1.1 no such user"]),
        (8, ["550 5.1.1 no such user"]),
    ]
    assert store.figures.usage(domains["beta.example"].id) == DomainUsage(1, 400_535)
    assert store.figures.usage(domains["alpha.example"].id).messages == 8
    assert damage.numbers == []


async def test_it_does_not_say_where_its_mail_came_from(store: SqliteStore) -> None:
    listed = await store.queue.list_queue(QueueFilter())
    assert listed
    for one in listed:
        found = await store.queue.message(one.number)
        assert found is not None
        assert (found.origin, found.message_id) == (None, None)


async def test_its_large_content_is_whole(store: SqliteStore) -> None:
    for domain in (await store.records.directory()).domains.values():
        for message in await all_held(store, domain.id):
            if message.file is not None:
                assert (
                    len(await content(store.content.read_file(message.file)))
                    == message.file.size
                    == 400_500
                )


async def test_its_reports_notices_and_trail_are_there(store: SqliteStore) -> None:
    [report] = await store.reports.list_reports(ReportFilter())
    assert (report.about, report.reverse_path) == (7, "s7@example.org")
    [notice] = await store.notices.list_notices(10)
    assert notice.facts.details == {"domain": "alpha.example", "delivered": 1}
    [quiet] = await store.notices.quiets()
    assert quiet.held_back == 2
    assert len(await store.audit.audit()) == 12
    assert [request.target for request in await store.audit.last_requests()] == ["alpha.example"]
    [drain] = store.handover.open_drains()
    assert drain.deadline == 3600.0


async def test_it_goes_on(store: SqliteStore) -> None:
    """New mail can be held beside the old mail, and the old mail can leave."""
    domain_id = (await store.records.directory()).domains["alpha.example"].id
    [recorded] = store.handover.open_drains()
    drain = await taken_over(store, recorded)
    await hold(store, domain_id, 12)
    await store.handover.settle(drain, [delivered(9), delivered(5)])
    assert await held_numbers(store, domain_id) == [2, 3, 4, 8, 11, 12]
    assert last_number(store) == 12


async def test_it_is_sound(store: SqliteStore, tmp_path: Path) -> None:
    await store.close()
    assert SqliteCare(tmp_path / "store").check(lambda _done, _of: None).findings == []
