"""Where a message came from, as the API shows it and as exported mail carries it."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restante.mail.message_origin import (
    HELLO_LIMIT,
    VERDICT_LIMIT,
    VERDICTS_LIMIT,
    MessageOrigin,
    PtrStatus,
)

_HelloName = Annotated[str, Field(max_length=HELLO_LIMIT)]
_VerdictText = Annotated[str, Field(max_length=VERDICT_LIMIT)]


class OriginFacts(BaseModel):
    """The session that a message came through, and the verdicts of checks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: _HelloName  # of the client
    port: Annotated[int, Field(ge=0, le=65535)]  # of the client; 0 where it is not known
    hello: _HelloName  # as EHLO or HELO gave it
    tls: _HelloName = ""  # version and cipher, "" without TLS
    host_name: _HelloName = ""  # the PTR name of the address; `ptr` says how far to trust it
    ptr: PtrStatus = PtrStatus.NOT_LOOKED_UP
    verdicts: Annotated[Mapping[_HelloName, _VerdictText], Field(max_length=VERDICTS_LIMIT)] = {}


def origin_facts(origin: MessageOrigin | None) -> OriginFacts | None:
    """Return the facts of an origin; None where it is not known."""
    if origin is None:
        return None
    return OriginFacts.model_construct(
        address=origin.address,
        port=origin.port,
        hello=origin.hello,
        tls=origin.tls,
        host_name=origin.host_name,
        ptr=origin.ptr,
        verdicts=dict(origin.verdicts),
    )


def message_origin(facts: OriginFacts | None) -> MessageOrigin | None:
    """Read them back."""
    return None if facts is None else MessageOrigin(**facts.model_dump())
