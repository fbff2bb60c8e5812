"""SIGHUP: the configuration and certificates are read again and applied to the running parts.

After any number of reloads the server is as a fresh start with the last valid file would make it.
The settings that `restart_for` names are the exception. An invalid file changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

from restante.admin.configuration_state import ConfigurationState
from restante.config.config_check import check_config
from restante.config.config_problem import ConfigError
from restante.config.config_warnings import standing_warnings
from restante.config.key_file import KeyUnusable, read_key
from restante.config.listen_settings import Listen
from restante.config.load import load
from restante.config.reload_rules import effective, settings_needing_restart
from restante.config.schema import Config
from restante.config.server_certificates import IdentityUnusable, ServerIdentity, read_identity
from restante.network.late_module import CodeNotLoaded
from restante.phrases import cause_of
from restante.reception.listeners import (
    CannotListen,
    ListenerAddress,
    Listeners,
    ListenerSettings,
    listener_addresses,
)
from restante.server.server_setup import RunningSettings
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ReloadFailed, ServerReloaded
from restante.tenancy.sealed_secrets import SealBroken, Vault

_PROBE = "reload"  # sealed under one key and opened under the other, to compare them


def listen_places(listen: Sequence[Listen]) -> dict[ListenerAddress, Listen]:
    """Return the `[[listen]]` tables by the address that identifies each, in their order."""
    found = listener_addresses((each.service, each.address) for each in listen)
    return dict(zip(found, listen, strict=True))


def _read(file: Path | None, now: float) -> Config:
    """Read the file and check what it names. Raises ConfigError."""
    read = load(file)
    check_config(read, now)
    return read


@dataclass(frozen=True, slots=True)
class ReloadTargets:
    """The parts of the server that a reload changes."""

    listeners: Listeners
    prepare: Callable[[Config], Awaitable[None]]  # loads the code that it needs
    listener_settings: Callable[[Config, Listen, ServerIdentity], ListenerSettings]
    vault: Vault  # under the key that runs
    log: Log
    now: Callable[[], float]  # Unix time
    spawn: Callable[[Coroutine[None, None, None]], asyncio.Task[None]]


class Reloader:
    """Replaces the running configuration, and notes there how that went."""

    def __init__(self, running: RunningSettings, parts: ReloadTargets) -> None:
        self._running = running
        self._parts = parts
        self._is_asked = False
        self._is_busy = True  # until the server is ready
        self._changing = asyncio.Lock()  # one change of the listeners at a time

    def ready(self) -> None:
        """Reload from now on when asked, and now if that was asked before."""
        self._is_busy = False
        if self._is_asked:
            self.ask()

    def ask(self) -> None:
        """Reload soon. If a reload is running, reload again after it."""
        self._is_asked = True
        if not self._is_busy:
            self._is_busy = True
            self._parts.spawn(self._reload_while_asked())

    async def _reload_while_asked(self) -> None:
        try:
            while self._is_asked:
                self._is_asked = False
                await self.reload()
        finally:
            self._is_busy = False

    async def reload(self) -> None:
        """Read the file and apply it. An error changes nothing; the log and `status` show it."""
        try:
            async with self._changing:
                await self._reload()
        except (ConfigError, IdentityUnusable, CannotListen, CodeNotLoaded) as error:
            self._fail(error)
            self._parts.log.publish(ReloadFailed(error=error))
        except Exception as error:  # a defect: the task that runs us logs it
            self._fail(error)
            raise

    async def show_certificates(self) -> None:
        """Read the certificates again, and let the listeners use them; the settings stay.

        An error changes nothing; the log and `status` show it.
        """
        async with self._changing:
            running, parts = self._running.config, self._parts
            known = listen_places(running.listen)
            try:
                identity = await asyncio.to_thread(read_identity, running)
                await parts.listeners.change(
                    list(known),
                    lambda place: parts.listener_settings(running, known[place], identity),
                )
            except (IdentityUnusable, CannotListen) as error:
                self._fail(error)
                parts.log.publish(ReloadFailed(error=error))
            else:
                self._running.show(identity)

    def _fail(self, error: Exception) -> None:
        state = self._running.state.failed(self._parts.now(), cause_of(error))
        self._running.note(state)

    async def _reload(self) -> None:
        parts, now, running = self._parts, self._parts.now(), self._running.config
        read = await asyncio.to_thread(_read, running.file, now)
        wanted, was_open = listen_places(read.listen), listen_places(running.listen)
        known = {**was_open, **wanted}  # a listener that must stay open keeps its own settings
        coming = effective(running, read, list(known.values()))
        identity = await asyncio.to_thread(read_identity, coming)
        await parts.prepare(read)
        await parts.listeners.change(
            list(wanted), lambda place: parts.listener_settings(coming, known[place], identity)
        )
        is_open = parts.listeners.places
        runs = effective(running, read, [known[place] for place in is_open])
        self._running.replace(runs, identity, read)
        restart_for = self._restart_for(read, wanted, is_open)
        warnings = await asyncio.to_thread(standing_warnings, read)
        state = ConfigurationState(now, restart_for=tuple(restart_for), warnings=warnings)
        self._running.note(state)
        parts.log.publish(ServerReloaded(restart_for=tuple(restart_for)))

    def _restart_for(
        self,
        read: Config,
        wanted: dict[ListenerAddress, Listen],
        is_open: Sequence[ListenerAddress],
    ) -> list[str]:
        names = settings_needing_restart(self._running.config, read)
        if "key_file" not in names and not self._is_running_key(read):
            names.append("key_file")
        waiting = [place for place in wanted if place not in is_open]
        staying = [place for place in is_open if place not in wanted]
        return [*names, *(f"listen {place.text}" for place in (*waiting, *staying))]

    def _is_running_key(self, read: Config) -> bool:
        """Tell whether the key file holds the key that runs."""
        try:
            sealed = Vault(read_key(read.key_file)).seal(_PROBE, _PROBE)
            return self._parts.vault.open(sealed, _PROBE) == _PROBE
        except (SealBroken, KeyUnusable):
            return False
