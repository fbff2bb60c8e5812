"""The settings for metrics of single domains."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class MetricsSettings(BaseModel):
    """`[metrics]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    domains: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        default=200,
        description="Number of domains with metrics of their own: those with the most held mail."
        ' The others are summed as `domain="(other)"`. `0`: no metric names a domain. `"all"`: all'
        " domains have metrics of their own.",
    )

    @property
    def limit(self) -> int | None:
        """The most domains with metrics of their own, None for all."""
        return None if self.domains == "all" else self.domains
