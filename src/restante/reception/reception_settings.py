"""The settings for taking mail."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from restante.mail.octets import read_octets

MEBIBYTE = 1024 * 1024


def _size(value: Any) -> Any:
    """Read a text such as 50M; leave anything else to the field's validator."""
    try:
        return read_octets(value) if isinstance(value, str) else value
    except ValueError:
        return value


SizeSetting = Annotated[int, BeforeValidator(_size)]  # octets, or a text such as "50M"


class ReceptionSettings(BaseModel):
    """`[reception]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_size_limit: Annotated[SizeSetting, Field(ge=65536)] = Field(
        default=50 * MEBIBYTE,
        description='Largest message accepted, in octets, or as a text such as "50M"; offered as'
        " SIZE (RFC 1870).",
    )
    recipients_limit: Annotated[int, Field(ge=100)] = Field(
        default=1000, description="Recipients of one message; RFC 5321 asks for at least 100."
    )
    bare_newlines: Literal["normalize", "reject"] = Field(
        default="normalize",
        description="How to treat a bare CR, a bare LF or a NUL in content. `normalize` turns the"
        " newline into CRLF and removes the NUL; `reject` refuses the message.",
    )
    passes_limit: Annotated[int, Field(ge=1)] = Field(
        default=3,
        description="Received fields of this server itself that a message may have when it arrives:"
        " how often it may come back. A message with more is assumed to loop, and the reply is 451."
        " Mail that is forwarded between hosted domains may come back once or twice.",
    )
    postmaster: str = Field(
        default="",
        description="Mailbox in a hosted domain that gets mail for <postmaster> without a domain."
        " If unset, such mail is deferred with 451.",
    )
    ptr: bool = Field(
        default=False,
        description="Whether the names of clients that bring mail are looked up: the PTR record of"
        " the address, and the address of that name. The result is kept with the message."
        " The `250` waits for it for at most two seconds. Recommended on the Internet.",
    )
    command_timeout: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="Seconds to wait for the next command (RFC 5321 §4.5.3.2.7)."
    )
    content_timeout: Annotated[float, Field(gt=0)] = Field(
        default=180.0,
        description="Seconds to wait for the next piece of content (RFC 5321 §4.5.3.2.5).",
    )
    greeting_timeout: Annotated[float, Field(gt=0)] = Field(
        default=60.0,
        description="Seconds for a new connection to send its first command, or to finish its TLS"
        " handshake.",
    )
    session_seconds: Annotated[float, Field(gt=0)] = Field(
        default=3600.0,
        description="Seconds that a session may last without completing a message or a release;"
        " then it ends with 421. A message must arrive within this time, so"
        " `message_size_limit` divided by it is the slowest rate for the largest message.",
    )
    minimum_rate: Annotated[float, Field(gt=0)] = Field(
        default=500.0,
        description="Lowest average rate of content, in octets a second, once `content_timeout` has"
        " passed.",
    )
    connections_limit: Annotated[int, Field(ge=1)] = Field(
        default=10000,
        description="Sessions at once over all listeners; more get 421. The limit is lower if the"
        " system does not allow the process two descriptors for each (RLIMIT_NOFILE).",
    )
    unauthenticated_limit: Annotated[int, Field(ge=1)] = Field(
        default=9000,
        description="Sessions at once that have not authenticated; past that only authorized hosts"
        " of hosted domains are admitted. Never more than nine tenths of all. Past four fifths"
        " of either limit, sessions that have not authenticated get a tenth of the time:"
        " `greeting_timeout`, `command_timeout`, `content_timeout` and `session_seconds`."
        " Sessions of authorized hosts keep the whole time.",
    )
    connections_per_block_limit: Annotated[int, Field(ge=1)] = Field(
        default=200,
        description="Sessions at once from one address block: an IPv4 address, or an IPv6 /64."
        " The blocks of an IPv6 /48 get at most half of the unauthenticated sessions together."
        " At most a quarter of the unauthenticated sessions where the system allows fewer than"
        " `connections_limit`.",
    )
    connections_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=600,
        description="Connections from one address block in a minute; more get 421. All of them may"
        " come at once. The blocks of an IPv6 /48 get eight times as many together. Authorized"
        " hosts of hosted domains are exempt.",
    )
    octets_in_flight_limit: Annotated[SizeSetting, Field(ge=1048576)] = Field(
        default=256 * MEBIBYTE,
        description="Octets of content in memory over all sessions. Above that, content goes to"
        " disk at once and reading pauses.",
    )
    disk_reserve: Annotated[SizeSetting, Field(ge=0)] = Field(
        default=256 * MEBIBYTE,
        description="Octets that must be free on the store's disk. With less, MAIL gets 452 and no"
        " new mail is accepted.",
    )
    errors_limit: Annotated[int, Field(ge=1)] = Field(
        default=20, description="Bad commands in one session before it is ended with 421."
    )
    early_commands_limit: Annotated[int, Field(ge=1)] = Field(
        default=10,
        description="Commands before EHLO or HELO in one session before it is ended with 421.",
    )
    junk_commands_limit: Annotated[int, Field(ge=1)] = Field(
        default=100,
        description="NOOP, RSET, VRFY, HELP and the like between two messages before the session is"
        " ended with 421.",
    )
    refused_recipients_limit: Annotated[int, Field(ge=1)] = Field(
        default=100, description="Refused recipients in one session before it is ended with 421."
    )
    authentication_failures_limit: Annotated[int, Field(ge=1)] = Field(
        default=3, description="Failed AUTH in one session before it is ended with 421."
    )
    authentications_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=30,
        description="AUTH from one address block in a minute; more are deferred with 454.",
    )
    releases_per_minute: Annotated[int, Field(ge=1)] = Field(
        default=60,
        description="ETRN by one login, or from one address block without one, in a minute; more"
        " get 458. Refused ETRN (an unknown or foreign domain, a host that is not authorized)"
        " is counted apart, with the same limit.",
    )
    failures_until_refusal: Annotated[int, Field(ge=2)] = Field(
        default=10,
        description="Failed AUTH for one login, or from one address block, in `failure_memory`."
        " Further ones are deferred with 454, except from the login's own authorized hosts.",
    )
    failure_memory: Annotated[float, Field(gt=0)] = Field(
        default=900.0, description="Seconds for which a failed AUTH is counted."
    )
    pending_authentications_limit: Annotated[int, Field(ge=1)] = Field(
        default=32,
        description="Password checks for strangers that run or wait at once, and as many SCRAM"
        " proofs; further AUTH is deferred with 454. Address blocks take turns. AUTH from"
        " authorized hosts of the login's account has lanes of its own, without a limit.",
    )
