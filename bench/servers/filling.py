"""Fill a store through its own interface: it takes a minute, where SMTP would take an hour.

    python -m bench.servers.filling STORE \\
        '{"messages": …, "size": …, "domains": …, "others": …, "port": …, "key_file": …}'

`messages` go to `domains` domains by turns, and `others` to the other account's. Each has `size`
octets. With a key file, content is sealed as the server would seal it.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from bench.content import content
from bench.domains import ACCOUNT, HOST, OTHER, SENDER, domain, mailbox
from restante.config.key_file import read_key
from restante.mail.envelope import Envelope
from restante.mail.message import MessageNumbers, NewMessage
from restante.store.choice import open_store
from restante.store.database_access import DatabaseAccess, RecoveryPoint
from restante.store.interface import Store
from restante.store.reception_store import INLINE_LIMIT
from restante.store.sealing.sealed_store import seal_store
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.model import Destination, HostedDomain, parse_authorized_hosts
from restante.tenancy.sealed_secrets import Vault

_ACCESS: Final = DatabaseAccess(recovery_point=RecoveryPoint.ACCEPT_LOSS)
TOKEN: Final = b"X-Token: "  # as tests/cluster/recording_sink.py reads it
BATCH: Final = 500  # as many as the server holds in one transaction


async def fill(
    url: str, *, messages: int, size: int, domains: int, others: int, port: int, key_file: str
) -> None:
    """Do it. `key_file` is empty where content is not sealed."""
    store = await open_store(url, access=_ACCESS)
    if key_file:
        vault = Vault(read_key(Path(key_file)))
        store = await seal_store(store, vault, key_file=key_file, seals=True)
    try:
        for batch in _batches(map(domain, range(domains))):
            await _host(store, batch, port)
        ids = {
            name: hosted.id for name, hosted in (await store.records.directory()).domains.items()
        }
        names = [*(domain(turn % domains) for turn in range(messages)), *[OTHER] * others]
        new = _messages(names, ids, size, store.reception.numbers())
        while held := list(islice(new, BATCH)):
            if size > INLINE_LIMIT:
                held = [await _in_file(store, message) for message in held]
            if refused := await store.reception.hold(held):
                raise next(iter(refused.values()))
    finally:
        await store.close()


async def _in_file(store: Store, message: NewMessage) -> NewMessage:
    """Put large content where the server puts it: the first line in the row, the rest in a file."""
    first, end, rest = message.head.partition(b"\r\n")
    spool = store.reception.open_spool()
    await spool.write(rest)
    return message._replace(head=first + end, file=await spool.close())


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, BATCH)):
        yield batch


async def _host(store: Store, names: Iterable[str], port: int) -> None:
    """Host the domains that are not hosted yet, all at once so that they share a sync."""
    present = (await store.records.directory()).domains
    new = [name for name in names if name not in present]
    await asyncio.gather(
        *(store.records.put_domain(_hosted(name, port), _added(name)) for name in new)
    )


def _hosted(name: str, port: int) -> HostedDomain:
    return HostedDomain(
        0, name, ACCOUNT, Destination(HOST, port), parse_authorized_hosts([HOST]), time.time()
    )


def _added(name: str) -> AuditEntry:
    return AuditEntry(time.time(), AuditAction.DOMAIN_ADDED, "bench", name, ACCOUNT)


def _messages(
    names: Iterable[str], ids: dict[str, int], size: int, numbers: MessageNumbers
) -> Iterator[NewMessage]:
    for turn, name in enumerate(names):
        token = TOKEN + b"%d\r\n" % turn  # by which a sink tells copies from messages
        now = time.time()
        yield NewMessage(
            numbers.next(now),
            ids[name],
            Envelope(SENDER, (mailbox(name),)),
            now,
            token + content(size - len(token)),
        )


if __name__ == "__main__":
    asyncio.run(fill(sys.argv[1], **json.loads(sys.argv[2])))
