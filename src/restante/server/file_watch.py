"""Whether the configuration file says something else than when it was read last.

Without this, nobody notices an edit before the next start, and a mistake in it keeps the server
from starting. `status` looks; nothing else depends on it.
"""

import asyncio
import os
from dataclasses import dataclass, replace
from pathlib import Path

from restante.admin.configuration_state import ConfigurationState
from restante.config.config_problem import ConfigError
from restante.config.file_stamp import FileSignature, signature
from restante.config.key_copy import copy_warnings
from restante.config.load import load
from restante.config.reload_rules import (
    APPLIED_BY_RELOAD,
    NEED_RESTART,
    settings_needing_restart,
)
from restante.config.schema import Config


@dataclass(frozen=True, slots=True)
class _Look:
    """The content of the file at one time."""

    signature: FileSignature
    content: Config | None  # None if it is invalid or unreadable
    error: str = ""


class FileWatch:
    """Of one configuration file. It is parsed again only when it has changed."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._last: _Look | None = None

    async def add_to(
        self, state: ConfigurationState, running: Config, read: Config
    ) -> ConfigurationState:
        """Return the state with the facts of the file as it is now.

        `read` is the configuration that was read last, `running` the one that runs. Of a file that
        this process may not read, only the fact of a change is known.
        """
        copying = tuple(await asyncio.to_thread(copy_warnings, running))
        state = replace(state, warnings=(*state.warnings, *copying))
        if self._file is None:
            return state
        try:
            look = await asyncio.to_thread(self._look, self._file)
        except OSError as error:
            return replace(state, unseen=f"{self._file}: {error.strerror}")
        if look.content is None and not look.error:
            return replace(state, is_file_changed=look.signature != read.source.signature)
        if look.content is None:
            return replace(state, file_error=look.error)
        kept = [name for name in state.restart_for if name not in NEED_RESTART]
        key_file = ["key_file"] if "key_file" in state.restart_for else []  # its content differs
        needing = settings_needing_restart(running, look.content)
        unread = (
            name for name in APPLIED_BY_RELOAD if getattr(read, name) != getattr(look.content, name)
        )
        restart_for = tuple(dict.fromkeys([*needing, *key_file, *kept]))
        return replace(state, restart_for=restart_for, unread=tuple(unread))

    def _look(self, file: Path) -> _Look:
        """Raises OSError where not even the facts of the file can be seen."""
        seen = signature(file)
        if seen and not os.access(file, os.R_OK):
            return _Look(seen, None)
        if self._last is None or self._last.signature != seen:
            self._last = _read(file, seen)
        return self._last


def _read(file: Path, seen: FileSignature) -> _Look:
    try:
        return _Look(seen, load(file))
    except ConfigError as error:
        return _Look(seen, None, "; ".join(str(error).splitlines()))
