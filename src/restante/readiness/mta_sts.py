"""A domain's MTA-STS policy (RFC 8461): the mail exchangers that senders with TLS accept. Pure."""

from dataclasses import dataclass
from typing import Final

POLICY_OCTETS: Final = 64 * 1024  # RFC 8461 §3.2: senders need not read more
_VERSION: Final = "STSv1"


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """A policy."""

    mode: str  # enforce, testing or none
    exchangers: tuple[str, ...]  # names, or patterns that begin with "*."

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
    exchangers = tuple(value.lower().rstrip(".") for key, value in pairs if key == "mx")
    return StsPolicy(mode, exchangers)


def announces_sts(texts: tuple[str, ...]) -> bool:
    """Tell whether the TXT records of _mta-sts announce a policy (RFC 8461 §3.1)."""
    return sum(text.startswith(f"v={_VERSION};") for text in texts) == 1
