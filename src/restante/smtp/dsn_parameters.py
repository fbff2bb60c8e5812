"""The parameters of the DSN extension (RFC 3461 §4), out of commands and into them.

Only syntax is judged: a server of this extension must not refuse a command for a valid request
(§5.1).
"""

import re
from typing import Final

from restante.mail.dsn_request import (
    DsnRequest,
    RecipientRequest,
    Ret,
    embedded,
    parse_notify,
    xtext_decoded,
)
from restante.smtp.grammar import Parameters
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import BAD_ARGUMENTS

MAX_ENVELOPE_ID: Final = 100  # characters of the value (§4.4, §5.4)
MAX_ORIGINAL: Final = 500  # (§4.2, §5.4)

# original-recipient-address = addr-type ";" xtext;  addr-type = atom
_ORIGINAL: Final = re.compile(r"(?P<type>[A-Za-z0-9!#$%&'*+\-/?^_`{|}~]+);(?P<address>.*)\Z")


def take_mail_request(parameters: Parameters) -> tuple[Ret | None, str]:
    """Take RET and ENVID out of a MAIL command's parameters. Raises CommandRefused (501)."""
    return _ret(parameters), _envelope_id(parameters)


def take_recipient_request(parameters: Parameters) -> RecipientRequest | None:
    """Take NOTIFY and ORCPT out of a RCPT command's parameters. Return None without either.

    Raises CommandRefused (501).
    """
    if not ("NOTIFY" in parameters or "ORCPT" in parameters):
        return None
    try:
        notify = parse_notify(parameters.pop("NOTIFY") or "") if "NOTIFY" in parameters else None
        return RecipientRequest(notify, _original(parameters))
    except ValueError:
        raise CommandRefused(BAD_ARGUMENTS) from None


def _ret(parameters: Parameters) -> Ret | None:
    if "RET" not in parameters:
        return None
    try:
        return Ret((parameters.pop("RET") or "").upper())
    except ValueError:
        raise CommandRefused(BAD_ARGUMENTS) from None


def _envelope_id(parameters: Parameters) -> str:
    if "ENVID" not in parameters:
        return ""
    value = _as_xtext(parameters.pop("ENVID"))
    if not 0 < len(value) <= MAX_ENVELOPE_ID or not _is_xtext(value):
        raise CommandRefused(BAD_ARGUMENTS)
    return value


def _original(parameters: Parameters) -> str:
    if "ORCPT" not in parameters:
        return ""
    value = _as_xtext(parameters.pop("ORCPT"))
    match = _ORIGINAL.match(value)
    if match is None or len(value) > MAX_ORIGINAL:
        raise ValueError(value)
    if (
        match["type"].lower() == "utf-8"
    ):  # characters outside ASCII are for this type alone (RFC 6533 §3)
        value = embedded(value)
    xtext_decoded(value.partition(";")[2])
    return value


def _as_xtext(value: str | None) -> str:
    """Return a value with each `=` as a hexchar: servers behind us refuse it as it came."""
    return (value or "").replace("=", "+3D")


def _is_xtext(value: str) -> bool:
    try:
        xtext_decoded(value)
    except ValueError:
        return False
    return True


def mail_parameters(request: DsnRequest) -> str:
    """Spell RET and ENVID for MAIL, as they came (§5.2.1)."""
    ret = f" RET={request.ret}" if request.ret else ""
    return f"{ret} ENVID={request.envelope_id}" if request.envelope_id else ret


def recipient_parameters(request: RecipientRequest) -> str:
    """Spell NOTIFY and ORCPT for RCPT, as they came (§5.2.1)."""
    notify = "" if request.notify is None else f" NOTIFY={request.notify.text}"
    return f"{notify} ORCPT={request.original}" if request.original else notify
