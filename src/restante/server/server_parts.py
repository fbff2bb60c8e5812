"""The parts of a running server, built in the order in which they need each other."""

import asyncio
import time

from restante.network.resolver import DnsResolver
from restante.release.authorized_host_lookup import HostNames
from restante.retention.age_clock import AgeClock
from restante.retention.clock_watch import newest_time
from restante.server.build_admin import build_admin
from restante.server.build_delivery import build_delivery
from restante.server.build_reception import build_reception
from restante.server.built_parts import (
    BuildContext,
    KeptRecords,
    ServerParts,
)
from restante.server.damage_log import DamageLog
from restante.server.record_poll import RecordPoll
from restante.server.server_setup import RunningSettings, ServerSetup
from restante.server.task_spawner import TaskSpawner
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients


async def read_records(store: Store, damage: DamageLog) -> KeptRecords:
    """Read accounts, domains, recipients and past drains. Raises StoreError."""
    directory = LiveDirectory(store.records)
    await directory.refresh()
    damage.records_read(directory)
    recipients = LiveRecipients(store.recipients, directory)
    await recipients.load()
    past = await store.handover.past_drains()
    takers = frozenset(drain.taker for drain in past.values() if drain.taker)
    return KeptRecords(store, directory, recipients, takers, await newest_time(store))


def build(setup: ServerSetup, records: KeptRecords, tasks: asyncio.TaskGroup) -> ServerParts:
    """Build every part; nothing runs yet. Later their tasks belong to `tasks`."""
    resolver = DnsResolver(setup.config.resolver.endpoints)
    ground = BuildContext(
        setup=setup,
        settings=RunningSettings(setup.config, setup.identity, time.time()),
        records=records,
        resolver=resolver,
        host_names=HostNames(resolver, time.monotonic),
        own_addresses=setup.addresses,
        ages=AgeClock(records.known_at, time.time, time.monotonic),
        spawner=TaskSpawner(tasks, setup.log),
    )
    delivery = build_delivery(ground, tasks)
    reception = build_reception(ground, delivery)
    admin = build_admin(ground, delivery, reception)
    poll = RecordPoll(records.store.records, records.directory, records.recipients, setup.log)
    return ServerParts(
        ground.settings, records, ground.own_addresses, poll, delivery, reception, admin
    )
