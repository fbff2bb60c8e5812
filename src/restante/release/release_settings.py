"""The settings for releases that clients ask for."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ReleaseSettings(BaseModel):
    """`[release]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turnaround: Literal["odmr-only", "everywhere", "off"] = Field(
        default="odmr-only",
        description="Where ATRN (RFC 2645) is offered. It sends mail to the holder of the login, on"
        " the client's own connection. `odmr-only`: on `odmr` and `odmrs` listeners. `everywhere`:"
        " under TLS on `mx` and `smtps` too, where port 366 is blocked. `off`: nowhere.",
    )

    def offers_turnaround(self, *, is_odmr: bool) -> bool:
        """Return whether a listener offers ATRN."""
        return self.turnaround == "everywhere" or (self.turnaround == "odmr-only" and is_odmr)
