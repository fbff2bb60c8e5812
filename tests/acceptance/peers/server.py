"""The server under test, as a peer gets it on its command line."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path


class Tls(enum.Enum):
    """How the connection is secured."""

    NONE = "none"
    STARTTLS = "starttls"  # asked for and insisted on
    IMPLICIT = "implicit"


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect. Certificate and host name are checked if `authority` (PEM) is given."""

    host: str
    port: int
    tls: Tls = Tls.NONE
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What to authenticate with."""

    user: str
    password: str
