"""Builds the parts that look after a server: reloads, certificates, the scrub, and HTTP listeners.

Those of administration are built on them at their first need (`late_admin`).
"""

import time
from collections.abc import Awaitable, Callable
from functools import partial

from restante.acme.acme_renewal import AcmeRenewal, OrderGround
from restante.acme.challenge_answers import ChallengeAnswers
from restante.admin.keeper_need import is_keeper_needed
from restante.config.schema import Config
from restante.network.outgoing_http import HTTP_LIBRARY
from restante.reception.descriptor_limit import http_connections_possible
from restante.server.built_parts import BuildContext, MailParts, ReceptionParts
from restante.server.keeper_watch import KeeperWatch
from restante.server.late_admin import AdminGround, LateAdmin
from restante.server.late_code import LateCode
from restante.server.late_web import LateWeb, WebGround, http_ground
from restante.server.listener_settings_maker import ListenerSettingsMaker
from restante.server.reload import Reloader, ReloadTargets
from restante.server.upkeep_parts import HttpParts, UpkeepParts
from restante.store.scrubber import Scrubber
from restante.telemetry.loop_lag import LoopLag
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.request_counts import RequestCounts


def build_upkeep(mail: MailParts) -> UpkeepParts:
    """Build them on those of mail."""
    ground, late, log = mail.ground, mail.ground.late, mail.ground.setup.log
    scrubber = Scrubber(ground.records.store.upkeep, log, time.time, time.monotonic)
    loop_lag, counts = LoopLag(log, time.monotonic), RequestCounts()
    admin = LateAdmin(late, AdminGround(mail, scrubber, loop_lag, counts))
    http = http_ground(counts, time.monotonic)
    late_web = LateWeb(late, WebGround(ground, mail.reception, http), admin.parts)
    listener_settings = ListenerSettingsMaker(mail.reception.session_settings, late_web.settings)
    prepare = partial(_prepare, late, late_web)
    reloader = _reloader(ground, mail.reception, listener_settings, prepare)
    limit = http_connections_possible()
    return UpkeepParts(
        prepare=prepare,
        reloader=reloader,
        scrubber=scrubber,
        loop_lag=loop_lag,
        http=HttpParts(
            listener_settings=listener_settings,
            control=HttpConnections(HttpService.CONTROL, limit),
            metrics=HttpConnections(HttpService.METRICS, limit),
            web=http.web,
            acme=http.acme,
            orders=_orders(ground, reloader, http.answers),
            counts=counts,
        ),
        admin=admin,
        keepers=_keeper_watch(ground, admin),
    )


async def _prepare(late: LateCode, late_web: LateWeb, config: Config) -> None:
    """Have the code loaded that a configuration needs. Raises CodeNotLoaded."""
    await late_web.prepare(config.listen)
    if config.hygiene.rspamd.url:
        await late.load(HTTP_LIBRARY)


def _keeper_watch(ground: BuildContext, admin: LateAdmin) -> KeeperWatch:
    records = ground.records
    is_needed = partial(is_keeper_needed, records.store, records.directory)
    return KeeperWatch(admin, is_needed, ground.setup.log)


def _reloader(
    ground: BuildContext,
    reception: ReceptionParts,
    listener_settings: ListenerSettingsMaker,
    prepare: Callable[[Config], Awaitable[None]],
) -> Reloader:
    targets = ReloadTargets(
        listeners=reception.listeners,
        prepare=prepare,
        listener_settings=listener_settings.settings,
        vault=ground.setup.vault,
        log=ground.setup.log,
        now=time.time,
        spawn=ground.spawner.spawn,
    )
    return Reloader(ground.settings, targets)


def _orders(ground: BuildContext, reloader: Reloader, answers: ChallengeAnswers) -> AcmeRenewal:
    settings = ground.settings
    renewal = AcmeRenewal(
        OrderGround(
            lambda: settings.config.acme,
            ground.setup.config.acme_directory,
            ground.resolver,
            answers,
            ground.late.load,
        ),
        ground.setup.log,
        ground.clocks,
        reloader.show_certificates,
    )
    settings.on_change(lambda config: renewal.settings_changed(config.acme))
    return renewal
