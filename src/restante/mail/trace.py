"""The Received field (RFC 5321 §4.4): the one thing we add to content.

Its `by` equals our greeting and our EHLO name, in a single hop: spam filters behind us find the true client by that.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of the session that a message came through."""

    client_name: str  # as EHLO gave it
    address: IPv4Address | IPv6Address
    is_extended: bool
    tls: str  # "TLSv1.3 TLS_AES_256_GCM_SHA384", "" without TLS
    is_authenticated: bool = False

    def protocol(self, *, is_smtputf8: bool) -> str:
        """Return the WITH keyword (RFC 3848, RFC 6531 §4.3)."""
        if not self.is_extended:
            return "SMTPS" if self.tls else "SMTP"
        base = "UTF8SMTP" if is_smtputf8 else "ESMTP"
        return f"{base}{'S' if self.tls else ''}{'A' if self.is_authenticated else ''}"


def received_field(origin: Origin, *, by: str, name: str, only_recipient: str, at: float, is_smtputf8: bool) -> bytes:
    """Return the field with its CRLF. `only_recipient` is "" where naming one would tell others' addresses."""
    tls = f" ({origin.tls})" if origin.tls else ""
    recipient = f"\r\n\tfor <{only_recipient}>" if only_recipient else ""
    return (
        f"Received: from {origin.client_name} ({_literal(origin.address)})\r\n"
        f"\tby {by} with {origin.protocol(is_smtputf8=is_smtputf8)}{tls} id {name}{recipient};\r\n"
        f"\t{date_time(int(at))}\r\n"
    ).encode()


def _literal(address: IPv4Address | IPv6Address) -> str:
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"  # noqa: PLR2004


@lru_cache(maxsize=8)
def date_time(at: int) -> str:
    """Spell Unix seconds as a date-time of RFC 5322 §3.3, in UTC. Many messages share a second."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]} {moment:%Y %H:%M:%S} +0000"
