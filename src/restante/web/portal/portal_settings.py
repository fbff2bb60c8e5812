"""The settings of the portal: its name, color and logo. The logo is read with the configuration."""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    field_validator,
    model_validator,
)

from restante.mail.quantity import counted
from restante.network.setting_error import setting_error
from restante.network.setting_paths import BesidePath
from restante.web.portal.portal_look import ACCENT, PortalLook

LOGO_OCTETS: Final = 256 * 1024
NAME_LENGTH: Final = 60
LONGEST_DELAY: Final = 30 * 86400.0  # seconds
_TYPES: Final = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}


class PortalSettings(BaseModel):
    """`[portal]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)] = Field(
        default="Restante",
        description="Name of the portal, on every page.",
        examples=["Example Mail"],
    )
    color: str = Field(
        default=ACCENT,
        description="Color of buttons, links and marks: `#` and six digits. White text must be"
        " readable on it.",
        examples=["#1f4e9e"],
    )
    logo: BesidePath = Field(
        default="",
        description="File with a logo: PNG, JPEG, WebP or SVG, of at most 256 KiB. A relative path"
        " begins at the directory of the configuration file.",
        examples=["logo.svg"],
    )

    change_delay: Annotated[float, Field(ge=0, le=LONGEST_DELAY)] = Field(
        default=3600.0,
        description="Seconds until an account's change of a destination or of authorized hosts is"
        " applied, also one through the API. Until then it can be cancelled. 0: at once. Changes by"
        " an operator do not wait.",
    )

    _image: bytes = PrivateAttr(default=b"")

    @field_validator("color")
    @classmethod
    def _is_dark_enough(cls, color: str) -> str:
        try:
            light = luminance(color)
        except ValueError:
            remedy = f'write # and six digits, such as "{ACCENT}"'
            raise setting_error("is not a color", remedy) from None
        if 1.05 / (light + 0.05) < CONTRAST:
            cause = "is too light: white text on it would be hard to read"
            raise setting_error(cause, "choose a darker color")
        return color

    @model_validator(mode="after")
    def _read_logo(self) -> Self:
        if self.logo:
            self._image = _logo_of(Path(self.logo))
        return self

    @property
    def look(self) -> PortalLook:
        """The values for the pages."""
        kind = _TYPES[Path(self.logo).suffix.lower()] if self.logo else ""
        return PortalLook(self.name, self.color, self._image, kind)


CONTRAST: Final = 4.5  # to white: level AA of WCAG 2, success criterion 1.4.3


def luminance(color: str) -> float:
    """Return the relative luminance of `#rrggbb` (WCAG 2). Raises ValueError."""
    if len(color) != 7 or color[0] != "#":  # noqa: PLR2004
        raise ValueError(color)
    channels = [value / 255 for value in bytes.fromhex(color[1:])]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for one in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _logo_of(path: Path) -> bytes:
    if path.suffix.lower() not in _TYPES:
        raise setting_error("logo: has no type that browsers show", f"use {', '.join(_TYPES)}")
    try:
        with path.open("rb") as file:
            image = file.read(LOGO_OCTETS + 1)
    except OSError as error:
        cause = f"logo: {path} cannot be read: {error.strerror}"
        raise setting_error(cause, "name a file that this user can read") from None
    if not 0 < len(image) <= LOGO_OCTETS:
        cause = f"logo: {path} is empty" if not image else f"logo: {path} is too large"
        limit = counted(LOGO_OCTETS, "octet")
        raise setting_error(cause, f"use an image of at most {limit}")
    return image
