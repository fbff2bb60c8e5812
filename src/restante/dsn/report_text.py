r"""Delivery reports: multipart/report (RFC 6522) with the fields of RFC 3464 and RFC 6533 (UTF-8).

A report has three parts: text for people, fields for programs, and the message's header section.
A failure with RET=FULL returns the whole message if it is small enough to be stored in one piece.
Nothing is taken from clock or chance here.

    the reverse-path is           addresses outside ASCII         a header section outside ASCII
    ----------------------------  ------------------------------  ----------------------------------
    ASCII: any server takes it    utf-8; with \x{…} in ASCII      message/global(-headers) in base64
    not: it needs SMTPUTF8        utf-8; as they are,             message/global(-headers) as it is
                                  message/global-delivery-status
"""

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from restante.mail.delivery_report import NewReport, ReportAction, ReportedRecipient, ReportFacts
from restante.mail.dsn_request import Ret, unembedded, utf8_address, xtext_decoded
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage, message_name
from restante.mail.received_field import date_time
from restante.mail.reply_status import read_reply_status

MAX_REPLY: Final = 500  # characters of a destination's words that are passed on

_END_OF_HEADER: Final = b"\r\n\r\n"
_UNPRINTABLE: Final = re.compile(r"[^ -~]+")
_CLASS_OF: Final = {ReportAction.FAILED: "5", ReportAction.DELAYED: "4"}
_RELAYED_STATUS: Final = "2.1.9"  # relayed to a server that does not report (RFC 3886 §3.3.4)
_GIVEN_UP_STATUS: Final = "5.4.7"  # it waited too long (RFC 3463 §3.5)

_SUBJECTS: Final = {
    ReportAction.FAILED: "Your message could not be handed over",
    ReportAction.DELAYED: "Your message waits to be handed over",
    ReportAction.RELAYED: "Your message was handed over",
}
_OPENINGS: Final = {
    ReportAction.FAILED: "could not hand over the message that it took from you for\r\n"
    "those named below. It will not try again.",
    ReportAction.DELAYED: "holds the message that it took from you for those named\r\n"
    "below: their own mail server has not taken it yet. It is kept, and handed over as soon"
    " as\r\n"
    "that server takes it. You need not send it again.",
    ReportAction.RELAYED: "has handed over the message that it took from you, as you\r\n"
    "wanted to know. The mail server that has it now does not report what happens to it, so"
    " you\r\n"
    "will receive no further report.",
}


@dataclass(frozen=True, slots=True)
class ReportingMta:
    """How a report identifies the server that made it."""

    hostname: str
    at: float  # Unix time
    token: Callable[[], str]  # ASCII letters and digits that were never used before


@dataclass(frozen=True, slots=True)
class _MimePart:
    """One part of the three. `encoding` is its Content-Transfer-Encoding."""

    content_type: str
    encoding: str
    body: bytes

    @property
    def octets(self) -> bytes:
        head = (
            f"Content-Type: {self.content_type}\r\n"
            f"Content-Transfer-Encoding: {self.encoding}\r\n"
            "\r\n"
        )
        return head.encode() + self.body


def make_report(
    message: HeldMessage, facts: ReportFacts, beginning: bytes, mta: ReportingMta
) -> NewReport:
    """Return a report on some recipients of a message.

    `beginning` is the message's content as far as it is at hand, its header section at least.
    """
    is_global = not message.envelope.reverse_path.isascii()
    parts = (
        _words(message, facts, mta, is_global=is_global),
        _fields(message, facts, mta, is_global=is_global),
        _returned(message, facts.action, beginning, is_global=is_global),
    )
    content = _assembled(message.envelope, facts.action, parts, mta)
    return NewReport(
        about=message.number,
        domain_id=message.domain_id,
        action=facts.action,
        forward_paths=tuple(recipient.forward_path for recipient in facts.recipients),
        reverse_path=message.envelope.reverse_path,
        content=content,
        made_at=mta.at,
        is_8bit=not content.isascii(),
        needs_smtputf8=is_global,
    )


def _assembled(
    envelope: Envelope, action: ReportAction, parts: Sequence[_MimePart], mta: ReportingMta
) -> bytes:
    octets = [part.octets for part in parts]
    boundary = _boundary(octets, mta)
    header = (
        f"From: Mail Delivery System <postmaster@{mta.hostname}>\r\n"
        f"To: <{envelope.reverse_path}>\r\n"
        f"Subject: {_SUBJECTS[action]}\r\n"
        f"Date: {date_time(int(mta.at))}\r\n"
        f"Message-ID: <{mta.token()}@{mta.hostname}>\r\n"
        "Auto-Submitted: auto-replied\r\n"  # RFC 3834 §5
        "MIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        f'\tboundary="{boundary}"\r\n'
        "\r\n"
    )
    mark = f"--{boundary}".encode()
    body = b"".join(mark + b"\r\n" + part + b"\r\n" for part in octets)
    return header.encode() + body + mark + b"--\r\n"


def _boundary(parts: Sequence[bytes], mta: ReportingMta) -> str:
    """Return a boundary that occurs in none of the parts (RFC 2046 §5.1.1).

    One of the parts comes from a stranger.
    """
    while True:
        boundary = f"=_{mta.token()}"
        if not any(boundary.encode() in part for part in parts):
            return boundary


# For people


def _words(
    message: HeldMessage, facts: ReportFacts, mta: ReportingMta, *, is_global: bool
) -> _MimePart:
    taken = date_time(int(message.received_at))
    opening = f"This is {mta.hostname}, a backup mail server. It {_OPENINGS[facts.action]}\r\n"
    lines = [line for recipient in facts.recipients for line in _lines_on(recipient, facts.action)]
    closing = f"It took the message on {taken} under the name {message_name(message.number)}.\r\n"
    text = "\r\n".join([opening, *lines, "", closing])
    if text.isascii():
        return _MimePart("text/plain; charset=us-ascii", "7bit", text.encode())
    if is_global:
        return _MimePart("text/plain; charset=utf-8", "8bit", text.encode())
    return _MimePart("text/plain; charset=utf-8", "base64", _base64(text.encode()))


def _lines_on(recipient: ReportedRecipient, action: ReportAction) -> Iterator[str]:
    yield f"<{recipient.forward_path}>"
    if not recipient.reply or action is ReportAction.RELAYED:
        return
    yield (
        "    Their mail server refused it:"
        if recipient.is_refused
        else "    The last attempt to deliver it failed:"
    )
    yield f"    {_cleaned(recipient.reply)}"


# For programs


def _fields(
    message: HeldMessage, facts: ReportFacts, mta: ReportingMta, *, is_global: bool
) -> _MimePart:
    """Spell the fields that RFC 3461 §6.3 wants."""
    dsn = message.envelope.dsn
    groups = [
        [
            f"Reporting-MTA: dns; {mta.hostname}",
            f"Arrival-Date: {date_time(int(message.received_at))}",
        ]
    ]
    if dsn is not None and dsn.envelope_id:
        groups[0].insert(0, f"Original-Envelope-Id: {xtext_decoded(dsn.envelope_id)}")
    for recipient in facts.recipients:
        original = dsn.of(recipient.forward_path).original if dsn is not None else ""
        groups.append(list(_fields_of(recipient, facts, original, is_global=is_global)))
    text = "\r\n\r\n".join("\r\n".join(group) for group in groups) + "\r\n"
    if text.isascii():
        return _MimePart("message/delivery-status", "7bit", text.encode())
    return _MimePart("message/global-delivery-status", "8bit", text.encode())


def _fields_of(
    recipient: ReportedRecipient, facts: ReportFacts, original: str, *, is_global: bool
) -> Iterator[str]:
    if original:
        yield f"Original-Recipient: {_original(original, is_global=is_global)}"
    yield f"Final-Recipient: {_address(recipient.forward_path, is_global=is_global)}"
    yield f"Action: {facts.action}"
    yield f"Status: {status_of(recipient, facts.action)}"
    if read_reply_status(recipient.reply) is not None:
        if facts.remote:
            yield f"Remote-MTA: dns; {facts.remote}"
        yield f"Diagnostic-Code: smtp; {_cleaned(recipient.reply)}"


def _address(path: str, *, is_global: bool) -> str:
    if path.isascii():
        return f"rfc822; {path}"
    return f"utf-8; {path if is_global else utf8_address(path)}"


def _original(value: str, *, is_global: bool) -> str:
    kind, _, address = value.partition(";")
    decoded = xtext_decoded(address)
    return f"{kind}; {unembedded(decoded) if is_global and kind.lower() == 'utf-8' else decoded}"


def status_of(recipient: ReportedRecipient, action: ReportAction) -> str:
    """Return the status (RFC 3463) that fits: the destination's own if it is of the right class."""
    if action is ReportAction.RELAYED:
        return _RELAYED_STATUS
    if action is ReportAction.FAILED and not recipient.is_refused:
        return _GIVEN_UP_STATUS
    status = read_reply_status(recipient.reply)
    wanted = _CLASS_OF[action]
    is_apt = status is not None and status.enhanced.startswith(wanted)
    return status.enhanced if status is not None and is_apt else f"{wanted}.0.0"


def _cleaned(reply: str) -> str:
    """Return a stranger's words as one line of ASCII."""
    return _UNPRINTABLE.sub("?", reply)[:MAX_REPLY]


# The part of the message that a report returns


def _returned(
    message: HeldMessage, action: ReportAction, beginning: bytes, *, is_global: bool
) -> _MimePart:
    dsn = message.envelope.dsn
    is_wanted = action is ReportAction.FAILED and dsn is not None and dsn.ret is Ret.FULL
    header = header_section(beginning)
    is_text = _is_utf8(header)
    if is_wanted and message.file is None and is_text:
        return _returned_message(message.head, is_ascii=header.isascii(), is_global=is_global)
    if header.isascii():
        return _MimePart("text/rfc822-headers", "7bit", header)
    if not is_text:  # octets of some other character set
        return _MimePart("text/rfc822-headers", "base64", _base64(header))
    if is_global:
        return _MimePart("message/global-headers", "8bit", header)
    return _MimePart("message/global-headers", "base64", _base64(header))


def _returned_message(content: bytes, *, is_ascii: bool, is_global: bool) -> _MimePart:
    if is_ascii:
        return _MimePart("message/rfc822", "7bit" if content.isascii() else "8bit", content)
    if is_global:
        return _MimePart("message/global", "8bit", content)
    return _MimePart("message/global", "base64", _base64(content))


def header_section(beginning: bytes) -> bytes:
    """Return the header section with its last line end.

    Of a header section that is cut off, return the lines that are whole.
    """
    end = beginning.find(_END_OF_HEADER)
    return beginning[: end + 2 if end >= 0 else beginning.rfind(b"\n") + 1]


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _base64(octets: bytes) -> bytes:
    text = b64encode(octets)
    return b"".join(text[start : start + 76] + b"\r\n" for start in range(0, len(text), 76))
