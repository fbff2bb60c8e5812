"""Whether the files of certificates and keys say something else than when they were read.

A renewed certificate is shown only after a reload. The server does not reload by itself. A
certificate and its key are two files, which are not replaced at one moment. A server that has
dropped its privileges may not be able to read the key. `status` looks; nothing else depends on it.
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from restante.admin.configuration_state import ConfigurationState
from restante.config.file_stamp import FileSignature, signature
from restante.config.schema import Config
from restante.config.server_certificates import IdentityUnusable, ServerIdentity, read_identity


@dataclass(frozen=True, slots=True)
class _Trial:
    """The result of reading changed files once."""

    seen: tuple[FileSignature, ...]
    identity: ServerIdentity  # the one that runs
    error: str


class IdentityWatch:
    """Of the certificates that run. Changed files are tried once for each change."""

    def __init__(self) -> None:
        self._last: _Trial | None = None

    async def add_to(
        self, state: ConfigurationState, running: Config, identity: ServerIdentity
    ) -> ConfigurationState:
        """Return the state with the changed files, and why they would not be accepted."""
        changed, error = await asyncio.to_thread(self._look, running, identity)
        files = tuple(map(str, changed))
        return replace(state, unread_certificates=files, certificate_error=error)

    def _look(self, running: Config, identity: ServerIdentity) -> tuple[list[Path], str]:
        changed = [file for file, stamp in identity.files.items() if stamp.has_changed(file)]
        return changed, self._error(running, identity) if changed else ""

    def _error(self, running: Config, identity: ServerIdentity) -> str:
        seen = tuple(map(_seen, identity.files))
        last = self._last
        if last is None or last.seen != seen or last.identity is not identity:
            self._last = last = _Trial(seen, identity, _why_refused(running))
        return last.error


def _seen(file: Path) -> FileSignature:
    try:
        return signature(file)
    except OSError:
        return ()


def _why_refused(running: Config) -> str:
    try:
        read_identity(running)
    except IdentityUnusable as error:
        return str(error)
    return ""
