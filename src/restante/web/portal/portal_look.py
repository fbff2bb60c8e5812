"""The name, the logo and the color that an installation gives its portal."""

from dataclasses import dataclass
from typing import Final

ACCENT: Final = "#0b6e6e"


@dataclass(frozen=True, slots=True)
class PortalLook:
    """Shown on every page."""

    name: str = "Restante"
    color: str = ACCENT  # #rrggbb, of links, buttons and marks
    logo: bytes = b""  # an image; none: the name alone
    logo_type: str = ""  # its media type
