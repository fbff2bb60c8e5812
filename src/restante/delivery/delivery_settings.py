"""The settings for delivery."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class DeliverySettings(BaseModel):
    """`[delivery]` in the configuration. Times in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patience: Annotated[float, Field(ge=0)] = Field(
        default=1800.0,
        description="Seconds for which a drain keeps trying a destination that does not accept its"
        " mail. Then the remaining mail stays held.",
    )
    first_retry: Annotated[float, Field(gt=0)] = Field(
        default=5.0,
        description="Seconds from the first failed attempt of a drain to the next; each further"
        " pause is twice as long.",
    )
    longest_retry: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="Longest such pause, in seconds."
    )
    connect_timeout: Annotated[float, Field(gt=0)] = Field(
        default=30.0, description="Seconds to make a connection, for each address."
    )
    reply_timeout: Annotated[float, Field(gt=0)] = Field(
        default=300.0,
        description="Seconds to wait for a reply to a command (RFC 5321 §4.5.3.2). If all"
        " connections wait and other mail is held, it is 180 for the first, then 60. For STARTTLS"
        " and the handshake of opportunistic TLS it is at most 30.",
    )
    content_timeout: Annotated[float, Field(gt=0)] = Field(
        default=600.0,
        description="Seconds to wait for the reply after content (RFC 5321 §4.5.3.2.6). Where other"
        " messages wait behind it in a window, it is 180 for the first, then 60. In the first"
        " window that a destination ever gets, it is about 30 if the destination takes other mail"
        " meanwhile.",
    )
    messages_per_connection: Annotated[int, Field(ge=1)] = Field(
        default=10000,
        description="Messages per connection before it is closed and a new one opened. After"
        " four minutes, it is at most 1000: some servers limit the time of a connection.",
    )
    run_ahead: bool = Field(
        default=True,
        description="Send commands ahead of replies where the destination supports it: whole"
        " messages with CHUNKING, the next MAIL behind content with PIPELINING. This hides"
        " network delay. A lost connection can make copies of up to 64 messages.",
    )
    refusals_limit: Annotated[int, Field(ge=1)] = Field(
        default=20,
        description="Messages in a row, over all connections, that the destination refuses (5xx)"
        " before the drain stops: a server that refuses everything is broken. Those messages"
        " are marked refused; the rest stays held. Refusals that concern only the recipient are"
        " not counted. These are an enhanced code 5.1.x, or 550, 551 or 553 at RCPT after"
        " another recipient was accepted. The same 5.1.x reply for 20 recipients stops the"
        " drain too, if the destination has never taken mail. Where it is told the client of each"
        " message, 5.7.x concerns that client. Such refusals stand for so many clients while"
        " nothing is delivered. Mail of further ones stays held, and the drain goes on.",
    )
    probe_pause: Annotated[float, Field(gt=0)] = Field(
        default=15.0,
        description="Seconds between two probes of a watched destination (`--hold on-return`) while"
        " its state is in doubt. Otherwise it is probed once in `[presence] pause`. With `--probe"
        " off`, one that is up is probed a quarter as often as in doubt, and one that is down"
        " with growing pauses.",
    )
    longest_probe_pause: Annotated[float, Field(gt=0)] = Field(
        default=600.0,
        description="Longest pause between probes of a destination that is down, in seconds. It"
        " matters only with `--probe off` or `[presence] probes = false`.",
    )
    hops_limit: Annotated[int, Field(ge=1)] = Field(
        default=50,
        description="Received fields, including our own, that a message may have. A message with"
        " more is assumed to loop and is marked refused. RFC 5321 §6.3 suggests 100; Postfix"
        " also refuses at 50.",
    )
    drains_limit: Annotated[int, Field(ge=1)] = Field(
        default=200,
        description="Maximum number of domains drained at the same time. Other domains wait."
        " As many accounts can take mail by ATRN beside them.",
    )
    account_drains_limit: Annotated[int, Field(ge=1)] = Field(
        default=50,
        description="Domains of one account drained at the same time, so that no"
        " account keeps others waiting.",
    )
