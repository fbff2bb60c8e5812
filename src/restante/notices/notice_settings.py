"""The settings for notices."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class NoticeSettings(BaseModel):
    """`[notices]` in the configuration. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pause: Annotated[float, Field(ge=0)] = Field(
        default=3600.0,
        description="Seconds for which further notices of one kind about the same thing are held"
        " back. Then the last of them is sent, with a count of the others.",
    )
    first_retry: Annotated[float, Field(gt=0)] = Field(
        default=30.0,
        description="Seconds from the first failed attempt to send a notice to the next; each"
        " further pause is twice as long.",
    )
    longest_retry: Annotated[float, Field(gt=0)] = Field(
        default=3600.0, description="Longest such pause, in seconds."
    )
    lifetime: Annotated[float, Field(ge=0)] = Field(
        default=172800.0,
        description="Seconds for which a notice is tried; then it is dropped, with a line in the"
        " log.",
    )
    timeout: Annotated[float, Field(gt=0)] = Field(
        default=10.0,
        description="Seconds that a webhook may take, from the look-up of its name to the status of"
        " its answer. The same limit applies to Apprise.",
    )
    waiting_limit: Annotated[int, Field(ge=1)] = Field(
        default=1000,
        description="Notices that wait for one channel; beyond that, the oldest are dropped.",
    )
