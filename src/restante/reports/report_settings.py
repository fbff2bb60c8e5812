"""The settings for reports to senders."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class ReportSettings(BaseModel):
    """`[reports]` in the configuration. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    per_minute: Annotated[int, Field(ge=1)] = Field(
        default=60,
        description="Maximum attempts to send a report in a minute, in all. Other reports wait, so"
        " that this server does not flood others.",
    )
    first_retry: Annotated[float, Field(gt=0)] = Field(
        default=300.0,
        description="Seconds from the first failed attempt to send a report to the next; each"
        " further pause is twice as long.",
    )
    longest_retry: Annotated[float, Field(gt=0)] = Field(
        default=14400.0, description="Longest such pause, in seconds."
    )
    lifetime: Annotated[float, Field(ge=0)] = Field(
        default=172800.0,
        description="Seconds for which a report is tried; then it is dropped, with a line in the"
        " log.",
    )
    successes_limit: Annotated[int, Field(ge=0)] = Field(
        default=1000,
        description="Reports of success that may wait, in all. Above that the accounts and target"
        " domains with the most lose their newest. Failures and delays are never dropped for"
        " that.",
    )
    delay_after: Annotated[float, Field(ge=0)] = Field(
        default=14400.0,
        description="Seconds that a message is held before a sender who asked for reports of delay"
        " (NOTIFY=DELAY) gets one. 0: never.",
    )
    dane: bool = Field(
        default=True,
        description="Whether reports and notices by mail obey DANE (RFC 7672): a host with TLSA"
        " records gets them only if its certificate agrees. It needs name servers that validate"
        " DNSSEC, on loopback or with `[resolver] trusted`.",
    )
    mta_sts: bool = Field(
        default=True,
        description="Whether reports and notices by mail obey MTA-STS (RFC 8461): policies in mode"
        " enforce are fetched by HTTPS, and bind.",
    )
    port: Annotated[int, Field(ge=1, le=65535)] = Field(
        default=25,
        description="Port of the hosts that MX records name: 25 everywhere but in a laboratory.",
    )
    private_addresses: bool = Field(
        default=False,
        description="Whether MX records and webhooks of accounts may lead to addresses that are not"
        " on the public Internet (loopback, private networks). For laboratories only: strangers"
        " choose these names.",
    )
