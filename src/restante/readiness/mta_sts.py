"""A domain's MTA-STS policy (RFC 8461): the mail exchangers that senders with TLS accept. Pure."""

import re
from dataclasses import dataclass
from typing import Final

POLICY_OCTETS: Final = 64 * 1024  # RFC 8461 §3.2: senders need not read more
LONGEST_AGE: Final = 31_557_600  # seconds, about a year (RFC 8461 §3.2)
_VERSION: Final = "STSv1"
_ID: Final = re.compile(r"[A-Za-z0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy."""

    mode: str  # enforce, testing or none
    exchangers: tuple[str, ...]  # names, or patterns that begin with "*."
    max_age: int  # seconds for which it may be kept

    def covers(self, host: str) -> bool:
        """Tell whether a mail exchanger is named; "*." stands for one label (RFC 8461 §4.1)."""
        name = host.lower().rstrip(".")
        _, dot, rest = name.partition(".")
        return any(
            one == name or (one.startswith("*.") and bool(dot) and one[2:] == rest)
            for one in self.exchangers
        )


def read_sts_policy(text: str) -> StsPolicy:
    """Read a policy. Raises ValueError for a text that is none."""
    pairs = [
        (key.strip().lower(), value.strip())
        for key, colon, value in (line.partition(":") for line in text.splitlines())
        if colon
    ]
    fields = dict(reversed(pairs))  # the first of each counts
    if fields.get("version") != _VERSION:
        raise ValueError(f"it does not begin with version: {_VERSION}")
    mode = fields.get("mode", "")
    if mode not in ("enforce", "testing", "none"):
        raise ValueError("it has no valid mode")
    age = fields.get("max_age", "")
    if not (age.isascii() and age.isdecimal() and int(age[:10]) <= LONGEST_AGE):
        raise ValueError("it has no valid max_age")
    exchangers = tuple(value.lower().rstrip(".") for key, value in pairs if key == "mx")
    return StsPolicy(mode, exchangers, int(age[:10]))


def announces_sts(texts: tuple[str, ...]) -> bool:
    """Tell whether the TXT records of _mta-sts announce a policy (RFC 8461 §3.1)."""
    return len(_announcements(texts)) == 1


def announced_id(texts: tuple[str, ...]) -> str:
    """Return the id of the policy that the TXT records announce, "" if they announce none."""
    found = _announcements(texts)
    if len(found) != 1:
        return ""
    tags = (part.partition("=") for part in found[0].split(";"))
    ids = [value.strip() for key, _, value in tags if key.strip() == "id"]
    return ids[0] if ids and _ID.fullmatch(ids[0]) else ""


def _announcements(texts: tuple[str, ...]) -> list[str]:
    return [text for text in texts if text.startswith(f"v={_VERSION};")]
