"""The settings for probes of every domain's destination."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class PresenceSettings(BaseModel):
    """`[presence]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probes: bool = Field(
        default=True,
        description="Probe the destination of every domain, except of those with `--probe off`. A"
        " probe connects, reads the greeting and sends QUIT. Domains with one destination share its"
        " probes. `false`: only destinations that a policy needs are probed.",
    )
    pause: Annotated[float, Field(ge=5)] = Field(
        default=60.0,
        description="Seconds between two such probes of a destination. More than 12,000"
        " destinations are probed less often: 200 probes a second are begun at most.",
    )
    days: Annotated[int, Field(ge=1, le=3660)] = Field(
        default=400,
        description="Days for which changes are kept: when a destination came up or went away.",
    )
