"""A one-time link into the portal, as the server keeps it. Pure."""

from dataclasses import dataclass
from typing import Final

LINK_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class PortalLink:
    """Opens one session of a user who still has the password and rights of that moment."""

    email: str
    stamp: bytes  # `PortalUser.stamp`
