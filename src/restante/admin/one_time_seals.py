"""Values that are good once, for a short time: challenges of passkeys, links, begun sign-ins.

Each is sealed and given away. Nothing is kept of it here, so strangers can ask for any number. A
restart ends none, and each process of a cluster opens those of the others. The store notes a value
once it was used.

A value from the future comes from a clock that was set back: it is over. The key is derived from
the key file for this purpose alone, as strangers have many values sealed. It is the present key:
a rotation ends all values, as somebody may have the former key.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from restante.store.used_store import UsedStore
from restante.tenancy.sealed_secrets import SealBroken, Vault

_LABEL: Final = "one-time values"
_SLACK: Final = 60.0  # seconds that a clock may be set back without an effect
_LONGEST: Final = 4096  # characters of a value as text


@dataclass(frozen=True, slots=True)
class OpenedValue:
    """A value that is genuine, and whose time is not over. It may have been used."""

    text: str
    digest: bytes
    until: float  # Unix time


class OneTimeSeals:
    """Makes, opens and uses up values."""

    def __init__(self, vault: Vault, used: UsedStore, now: Callable[[], float]) -> None:
        """`now` is Unix time."""
        self._vault = Vault(vault.constants(_LABEL)[0])
        self._used = used
        self._now = now

    def seal(self, purpose: str, seconds: float, text: str = "") -> bytes:
        """Return a new value for a purpose, such as one session. The holder cannot read it."""
        now = self._now()
        return self._vault.seal(f"{now!r} {now + seconds!r} {text}", purpose)

    def open(self, sealed: bytes, purpose: str) -> OpenedValue | None:
        """Return a value; None if it is of another purpose, too old, or none of ours."""
        try:
            made_at, until, text = self._vault.open(sealed, purpose).split(" ", 2)
        except SealBroken:
            return None
        if not float(made_at) - _SLACK <= self._now() < float(until):
            return None
        return OpenedValue(text, hashlib.sha256(sealed).digest(), float(until))

    async def use(self, value: OpenedValue) -> bool:
        """Use a value up; False if it was used before. Raises StoreError."""
        return await self._used.use(value.digest, value.until)

    async def was_used(self, value: OpenedValue) -> bool:
        """Return whether a value was used. Raises StoreError."""
        return await self._used.was_used(value.digest)


def text_of(sealed: bytes) -> str:
    """Return a value as text, for an address or a cookie."""
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def octets_of(text: str) -> bytes:
    """Return the value of a text; b"" for one that is too long, or was changed."""
    if len(text) > _LONGEST or not text.isascii():
        return b""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        return b""
    return sealed if text_of(sealed) == text else b""
