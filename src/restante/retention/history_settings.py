"""The settings for the history of mail."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from restante.reception.reception_settings import SizeSetting

GIBIBYTE: Final = 1 << 30


class HistorySettings(BaseModel):
    """`[history]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[int, Field(ge=1, le=3660)] = Field(
        default=30,
        description="Days for which `restante trace` knows the outcome for each recipient.",
    )
    release_days: Annotated[int, Field(ge=1, le=3660)] = Field(
        default=400,
        description="Days for which `restante drain list --past` knows each request to release"
        " mail, and its results.",
    )
    octets: Annotated[SizeSetting, Field(ge=1 << 20)] = Field(
        default=GIBIBYTE,
        description="Room for it in the store, in octets, or with K, M or G. Above it the oldest"
        " entries are removed before their time. About 150 octets are one recipient.",
    )
