"""The parts by which a server takes and hands over mail, in the order of their needs.

Those of administration are built on them, once mail is served (`build_upkeep`).
"""

import asyncio
import time

from restante.network.resolver import DnsResolver
from restante.release.authorized_host_lookup import HostNames
from restante.retention.age_clock import AgeClock
from restante.retention.clock_watch import newest_time
from restante.server.build_delivery import build_delivery
from restante.server.build_reception import build_reception
from restante.server.built_parts import (
    BuildContext,
    KeptRecords,
    MailParts,
)
from restante.server.damage_log import DamageLog
from restante.server.event_privacy import EventPrivacy
from restante.server.failure_exchange import FailureExchange
from restante.server.late_code import LateCode
from restante.server.record_poll import RecordPoll
from restante.server.server_setup import RunningSettings, ServerSetup
from restante.server.task_spawner import TaskSpawner
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.telemetry.event_bus import EventBus


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


def _keep_events_private(log: EventBus, directory: LiveDirectory) -> None:
    """Have events shortened as accounts ask for it. No other part gets a change earlier."""
    privacy = EventPrivacy()

    def apply(_: object = None) -> None:
        log.shorten_by(privacy.shorteners(directory.now))

    directory.on_numbered(apply)
    apply()


def build_mail(
    setup: ServerSetup, records: KeptRecords, tasks: asyncio.TaskGroup, late: LateCode
) -> MailParts:
    """Build the parts of mail; nothing runs yet. Later their tasks belong to `tasks`."""
    _keep_events_private(setup.log, records.directory)
    resolver = DnsResolver(
        setup.config.resolver.endpoints, is_trusted=setup.config.resolver.trusted
    )
    ground = BuildContext(
        setup=setup,
        settings=RunningSettings(setup.config, setup.identity, time.time()),
        records=records,
        resolver=resolver,
        host_names=HostNames(resolver, time.monotonic),
        own_addresses=setup.addresses,
        ages=AgeClock(records.known_at, time.time, time.monotonic),
        spawner=TaskSpawner(tasks, setup.log),
        failures=FailureExchange(records.store.failures, time.monotonic, setup.log),
        late=late,
    )
    delivery = build_delivery(ground, tasks)
    reception = build_reception(ground, delivery)
    poll = RecordPoll(records.store.records, records.directory, records.recipients, setup.log)
    return MailParts(ground, poll, delivery, reception)
