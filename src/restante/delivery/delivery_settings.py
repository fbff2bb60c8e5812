"""What an operator may set about handing mail over."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class DeliverySettings(BaseModel):
    """`[delivery]` in the configuration. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patience: Annotated[float, Field(ge=0)] = Field(
        default=1800.0,
        description="How long a drain goes on trying a destination that does not take its mail; what is left is held again.",
    )
    first_retry: Annotated[float, Field(gt=0)] = Field(
        default=5.0,
        description="Pause after the first failed attempt of a drain; each further one is twice as long.",
    )
    longest_retry: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="The longest such pause."
    )
    connect_timeout: Annotated[float, Field(gt=0)] = Field(
        default=30.0, description="For the connection to be made, per address."
    )
    reply_timeout: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="For a reply to a command (RFC 5321 §4.5.3.2)."
    )
    content_timeout: Annotated[float, Field(gt=0)] = Field(
        default=600.0, description="For the reply after content (RFC 5321 §4.5.3.2.6)."
    )
    messages_per_connection: Annotated[int, Field(ge=1)] = Field(
        default=1000,
        description="After so many a connection is closed and another made, so that no peer tires of it.",
    )
    run_ahead: bool = Field(
        default=True,
        description="Send commands ahead of replies, where the destination shows that it bears it: whole messages with"
        " CHUNKING, the next MAIL behind content with PIPELINING. Distance then costs less. A lost connection can"
        " make copies of up to 64 messages.",
    )
    refusals_limit: Annotated[int, Field(ge=1)] = Field(
        default=20,
        description="Messages in a row, over all connections, that the destination refuses (5xx) before the drain stops: a server"
        " that refuses everything is broken. What it has refused is parked, the rest stays held. Refusals that concern only"
        " the recipient are not counted: an enhanced code 5.1.x, or 550, 551 or 553 at RCPT once the destination has accepted"
        " another recipient of the drain. The same 5.1.x reply for 20 recipients with none accepted stops the drain too.",
    )
    probe_pause: Annotated[float, Field(gt=0)] = Field(
        default=15.0,
        description="Between two looks at a destination that is watched (`--hold on-return`), while it is in doubt whether it"
        " is there; one that is there is looked at four times as rarely, one that is away more and more rarely.",
    )
    longest_probe_pause: Annotated[float, Field(gt=0)] = Field(
        default=600.0,
        description="The longest such pause: the longest time, about, for which a return goes unseen.",
    )
    hops_limit: Annotated[int, Field(ge=1)] = Field(
        default=50,
        description="Received fields, our own among them, that a message may have; with more it goes in a circle and is"
        " parked as refused. RFC 5321 §6.3 has 100 in mind, Postfix refuses at 50 as well.",
    )
    drains_limit: Annotated[int, Field(ge=1)] = Field(
        default=200, description="Domains drained at the same time; further ones wait their turn."
    )
    account_drains_limit: Annotated[int, Field(ge=1)] = Field(
        default=50, description="The same for each account, so that none keeps the others waiting."
    )
