"""The pass of a drill: this server takes its own drill message also while the destination answers.

It is the envelope id of the message (RFC 3461 §4.4). Only a server with the present key can make
it, and each process of a store knows it without having been told. It is good for one domain, and
for ten to twenty minutes. It overrules `accept when-down` alone, and no other rule.
"""

import hmac
from typing import Final

from restante.tenancy.sealed_secrets import Vault

_SLOT_SECONDS: Final = 600.0
_PREFIX: Final = "drill-"


def drill_pass(vault: Vault, domain: str, now: float) -> str:
    """Return the envelope id of a drill that begins now; `now` is Unix time."""
    return _of_slot(vault, domain, int(now // _SLOT_SECONDS))


def is_drill_pass(vault: Vault, envelope_id: str, domain: str, now: float) -> bool:
    """Return whether an envelope id is the pass of a drill of this domain."""
    if not envelope_id.startswith(_PREFIX):
        return False
    slot = int(now // _SLOT_SECONDS)
    given = envelope_id.encode("utf-8", "surrogateescape")
    return any(
        hmac.compare_digest(given, _of_slot(vault, domain, one).encode())
        for one in (slot, slot - 1)
    )


def _of_slot(vault: Vault, domain: str, slot: int) -> str:
    return _PREFIX + vault.constants(f"drill {slot} {domain}")[0].hex()
