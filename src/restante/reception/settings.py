"""What an operator may set about taking mail."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MEBIBYTE = 1024 * 1024


class ReceptionSettings(BaseModel):
    """`[reception]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_size_limit: Annotated[int, Field(ge=65536)] = Field(
        default=50 * MEBIBYTE, description="Largest message taken, in octets; offered as SIZE (RFC 1870)."
    )
    recipients_limit: Annotated[int, Field(ge=100)] = Field(
        default=1000, description="Recipients of one message; RFC 5321 asks for at least 100."
    )
    bare_newlines: Literal["normalize", "reject"] = Field(
        default="normalize",
        description="What to do with a CR or LF that stands alone in content: turn it into CRLF, or refuse the message.",
    )
    postmaster: str = Field(
        default="",
        description="Mailbox in a hosted domain that gets mail for <postmaster> without a domain. Unset: such mail is put off with 451.",
    )
    command_timeout: Annotated[float, Field(gt=0)] = Field(
        default=300.0, description="Seconds to wait for the next command (RFC 5321 §4.5.3.2.7)."
    )
    content_timeout: Annotated[float, Field(gt=0)] = Field(
        default=180.0, description="Seconds to wait for the next piece of content (RFC 5321 §4.5.3.2.5)."
    )
    greeting_timeout: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="Seconds for a new connection to say its first word, or to finish its TLS handshake."
    )
    connections_limit: Annotated[int, Field(ge=1)] = Field(
        default=10000, description="Sessions at once over all listeners; more are told 421."
    )
    errors_limit: Annotated[int, Field(ge=1)] = Field(
        default=20, description="Bad commands in one session before it is ended with 421."
    )
    authentication_failures_limit: Annotated[int, Field(ge=1)] = Field(
        default=3, description="Failed AUTH in one session before it is ended with 421."
    )
