"""Administration without a server: the command itself opens the store while it runs."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from restante.admin.admin_context import (
    ActingRequest,
    AdminContext,
    AdminSettings,
    NetworkAccess,
    ProcessParts,
    operator,
)
from restante.cli.failures import Exit, Failure, complain
from restante.cli.store_place import check_store_is_there
from restante.config.key_file import KeyUnusable, read_key
from restante.config.portal_url import portal_url
from restante.config.privileges import UserUnusable, become
from restante.config.schema import Config
from restante.config.server_certificates import served_or_none
from restante.delivery.dialer import Dialer
from restante.network.resolver import DnsResolver
from restante.notices.notice_service import make_transports
from restante.notices.transports import Transports
from restante.phrases import FOREIGN_KEY_FILE
from restante.reception.intake import Intake, IntakeReceipt, ReceivedMail, hold_all
from restante.reports.hop_security import make_hop_security
from restante.reports.mx_delivery import MxAccess
from restante.store import choice
from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients
from restante.store.sealing.sealed_store import seal_store
from restante.store.store_errors import (
    StoreDamaged,
    StoreError,
    StoreInUse,
    StoreMismatched,
    StoreMisplaced,
)
from restante.telemetry.events import Event
from restante.tenancy.principal import COMMAND_LINE
from restante.tenancy.sealed_secrets import Vault
from restante.tenancy.shared_key import has_shared_key


@asynccontextmanager
async def open_offline_admin(
    config: Config, *, needs_no_server: bool = False
) -> AsyncIterator[AdminContext]:
    """Open the store for administration.

    Raises Failure if the store cannot be opened, for example if another process has it open. With
    `needs_no_server`, a server could not do the work, so the error says to stop it.
    """
    vault = _open_vault(config)
    principal = operator(os.getuid(), COMMAND_LINE)  # before it becomes the server's user
    _become(config.user)
    store = await _open_sealed(config, vault, needs_no_server=needs_no_server)
    try:
        directory = LiveDirectory(store.records)
        await directory.refresh()
        if config.store_directory is None and not has_shared_key(vault, directory.now):
            raise Failure(Exit.CONFIGURATION, f"{config.key_file}: {FOREIGN_KEY_FILE}")
        recipients = LiveRecipients(store.recipients, directory)
        await recipients.load()
        resolver = DnsResolver(config.resolver.endpoints, is_trusted=config.resolver.trusted)
        yield AdminContext(
            store=store,
            directory=directory,
            vault=vault,
            now=time.time,
            network=_network(config, resolver),
            settings=_settings(config),
            parts=ProcessParts(
                hold=partial(_hold, store, config.hostname),
                recipients=recipients,
                transports=_transports(config, directory, resolver, vault),
            ),
            server=None,
            request=ActingRequest(principal),
        )
    finally:
        await store.close()


def _network(config: Config, resolver: DnsResolver) -> NetworkAccess:
    return NetworkAccess(
        config.hostname,
        _own_addresses(config),
        resolver,
        resolver,
        certificates=partial(served_or_none, config),
    )


def _own_addresses(config: Config) -> list[tuple[str, int]]:
    return [listen.endpoint for listen in config.listen]


def _settings(config: Config) -> AdminSettings:
    return AdminSettings(
        message_size_limit=lambda: config.reception.message_size_limit,
        portal_url=lambda: portal_url(config),
        private_addresses=lambda: config.reports.private_addresses,
        blocklists=lambda: [*config.hygiene.weights],
    )


def _transports(
    config: Config, directory: LiveDirectory, resolver: DnsResolver, vault: Vault
) -> Transports:
    """Return the transports by which a channel can be tested."""
    dialer = Dialer(resolver, config.hostname, _own_addresses(config), lambda: config.delivery)
    security = make_hop_security(resolver, lambda: config.reports)
    access = MxAccess(dialer, resolver, security, lambda: config.reports)
    return make_transports(
        vault, directory, access, resolver, settings=lambda: config.notices, now=time.time
    )


async def _hold(store: Store, hostname: str, mails: Sequence[ReceivedMail]) -> list[IntakeReceipt]:
    """Hold mail through an intake of its own."""
    intake = Intake(store.reception, _Unwritten(), time.time, hostname=hostname)
    running = asyncio.create_task(intake.run())
    try:
        return await hold_all(intake, mails)
    finally:
        intake.close()
        await running


class _Unwritten:
    """A log that writes nothing, because the command reports errors itself."""

    def publish(self, event: Event) -> None:
        """Write nothing."""


async def _open_sealed(config: Config, vault: Vault, *, needs_no_server: bool) -> Store:
    """Open the store that the configuration names, with its sealed content. Raises Failure."""
    store = await open_configured_store(config, needs_no_server=needs_no_server)
    try:
        return await seal_store(
            store, vault, key_file=str(config.key_file), seals=config.seal_content
        )
    except StoreMismatched as error:
        await store.close()
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    except StoreError as error:
        await store.close()
        raise Failure(Exit.UNAVAILABLE, str(error)) from None


async def open_configured_store(config: Config, *, needs_no_server: bool = False) -> Store:
    """Open the store that the configuration names. Raises Failure."""
    check_store_is_there(config.store)
    if change := choice.upgrade_ahead(config.store):
        complain(
            f"the store has schema {change.before}; this upgrades it to {change.after}, after"
            " a copy beside it; an older Restante cannot open it then"
        )
    try:
        return await choice.open_store(config.store, access=config.database_access)
    except StoreDamaged as error:
        raise Failure(Exit.DATA, str(error)) from None
    except (StoreMisplaced, StoreMismatched) as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
    except StoreInUse as error:
        text = error.without_it if needs_no_server else str(error)
        raise Failure(Exit.UNAVAILABLE, text) from None
    except StoreError as error:
        raise Failure(Exit.UNAVAILABLE, str(error)) from None


def _become(user: str) -> None:
    """Become the server's user if running as root, so that the server can open new files."""
    try:
        become(user)
    except UserUnusable as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None


def _open_vault(config: Config) -> Vault:
    try:
        return Vault(read_key(config.key_file))
    except KeyUnusable as error:
        raise Failure(Exit.CONFIGURATION, str(error)) from None
