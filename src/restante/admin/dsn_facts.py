"""A sender's report requests in exported mail, and their parser, which follows the wire rules."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restante.admin.request_bounds import MOST_RECIPIENTS, LineText
from restante.mail.dsn_request import DsnRequest, RecipientRequest
from restante.smtp.dsn_parameters import (
    MAX_ENVELOPE_ID,
    MAX_ORIGINAL,
    take_mail_request,
    take_recipient_request,
)
from restante.smtp.protocol_errors import CommandRefused


class RecipientFacts(BaseModel):
    """NOTIFY and ORCPT of one recipient, as in a command; None if they were missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notify: Annotated[str, Field(max_length=40)] | None = None
    orcpt: Annotated[str, Field(max_length=MAX_ORIGINAL)] | None = None


class DsnFacts(BaseModel):
    """RET and ENVID, and the requests for recipients, by forward-path (RFC 3461 §4)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ret: Annotated[str, Field(max_length=4)] | None = None
    envid: Annotated[str, Field(max_length=MAX_ENVELOPE_ID)] | None = None
    recipients: Annotated[dict[LineText, RecipientFacts], Field(max_length=MOST_RECIPIENTS)] = {}


def dsn_facts(request: DsnRequest | None) -> DsnFacts | None:
    """Return a request's fields; None without a request."""
    if request is None:
        return None
    recipients = {
        path: RecipientFacts(
            notify=None if one.notify is None else one.notify.text, orcpt=one.original or None
        )
        for path, one in request.recipients.items()
    }
    return DsnFacts(ret=request.ret, envid=request.envelope_id or None, recipients=recipients)


def dsn_request(facts: DsnFacts | None) -> DsnRequest | None:
    """Read a request. Raises ValueError if no command could have these values."""
    if facts is None:
        return None
    try:
        ret, envelope_id = take_mail_request(_given({"RET": facts.ret, "ENVID": facts.envid}))
        recipients = {path: _recipient(path, one) for path, one in facts.recipients.items()}
    except CommandRefused:
        raise ValueError(
            "its RET, ENVID, NOTIFY or ORCPT does not have the form of RFC 3461"
        ) from None
    return DsnRequest(ret, envelope_id, recipients)


def _recipient(path: str, facts: RecipientFacts) -> RecipientRequest:
    request = take_recipient_request(_given({"NOTIFY": facts.notify, "ORCPT": facts.orcpt}))
    if request is None:
        raise ValueError(f"nothing is said of <{path}>")
    return request


def _given(parameters: dict[str, str | None]) -> dict[str, str | None]:
    return {keyword: value for keyword, value in parameters.items() if value is not None}
