"""A line into the parser of commands, and from there into what is made of commands.

The rule: a command or CommandRefused, nothing else. An accepted command has nothing that would end
a line or a path later. Every path that we accept can be sent on, and means the same there.
"""

import re
from contextlib import suppress
from typing import Final

from restante.mail.address import Mailbox, canonical_domain, literal_address, split_mailbox
from restante.mail.dsn_request import DsnRequest, RecipientRequest, Ret, xtext_decoded
from restante.mail.envelope import Envelope
from restante.mail.message import HeldMessage
from restante.mail.received_field import from_clause
from restante.smtp.client_transaction import opening_commands
from restante.smtp.commands import Atrn, Auth, Bdat, Command, Etrn, Hello, Mail, Rcpt, parse_command
from restante.smtp.ehlo_offer import EhloOffer
from restante.smtp.grammar import MAX_HELLO_NAME
from restante.smtp.protocol_errors import CommandRefused
from restante.smtp.replies import Reply

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_EVERYTHING: Final = EhloOffer(
    has_pipelining=True, has_8bitmime=True, has_smtputf8=True, has_dsn=True, has_size=True
)


def check(data: bytes) -> None:
    """Run one input: every line of it. Raises what breaks the rule."""
    for line in data.split(b"\n"):
        _check_line(line)


def _check_line(line: bytes) -> None:
    answer = _parse(line)
    if isinstance(answer, Reply):
        assert not answer.is_positive
    else:
        assert isinstance(answer, Command)
        _check_command(answer)


def _parse(line: bytes) -> Command | Reply:
    try:
        return parse_command(line)
    except CommandRefused as refused:
        return refused.reply


def _check_command(command: Command) -> None:
    match command:
        case Hello():
            assert 0 < len(command.name) <= MAX_HELLO_NAME
            assert not _CONTROL.search(command.name)
            field = from_clause(command.name, "192.0.2.1", is_ours=False)
            assert field.isascii()
            assert field.isprintable()
            assert field.count("(") == field.count(")") == 1
        case Auth():
            assert command.mechanism == command.mechanism.upper()
        case Bdat():
            assert 0 <= command.octets < 10**20
        case Etrn() | Atrn():
            assert not _CONTROL.search(command.argument)
        case Mail():
            assert 0 <= command.size < 10**20
            if command.reverse_path is not None:
                _check_path(command.reverse_path)
            _check_asked_again(DsnRequest(command.ret, command.envelope_id))
        case Rcpt():
            _check_path(command.forward_path)
            if command.request is not None:
                _check_asked_again(DsnRequest(recipients={"b@b.example": command.request}))
        case _:
            pass


def _check_path(path: Mailbox) -> None:
    text = str(path)
    assert not _CONTROL.search(text)
    assert len(text) <= 520
    assert split_mailbox(text) == path
    _check_sent_on(path, text)
    literal_address(path.domain)
    with suppress(ValueError):
        assert canonical_domain(path.domain).isascii()


def _check_sent_on(path: Mailbox, text: str) -> None:
    """As in the envelope, to a server like ours: the same path must come out."""
    forward_path = text if path.domain else "b@b.example"
    message = HeldMessage(1, 1, Envelope(text, (forward_path,), needs_smtputf8=True), 0.0, b"")
    mail, rcpt = (
        parse_command(line.removesuffix(b"\r\n"))
        for _, line in opening_commands(message, _EVERYTHING)[:2]
    )
    assert isinstance(mail, Mail)
    assert isinstance(rcpt, Rcpt)
    assert mail.reverse_path == path
    assert str(rcpt.forward_path) == forward_path


def _check_asked_again(asked: DsnRequest) -> None:
    """A request for reports leaves as it came, and can stand in a field of a report."""
    message = HeldMessage(1, 1, Envelope("a@a.example", ("b@b.example",), dsn=asked), 0.0, b"")
    mail, rcpt = (
        parse_command(line.removesuffix(b"\r\n"))
        for _, line in opening_commands(message, _EVERYTHING)[:2]
    )
    assert isinstance(mail, Mail)
    assert isinstance(rcpt, Rcpt)
    assert (mail.ret, mail.envelope_id) == (asked.ret, asked.envelope_id)
    assert (rcpt.request or RecipientRequest()) == asked.of("b@b.example")
    assert asked.ret in (None, *Ret)
    original_address = asked.of("b@b.example").original.partition(";")[
        2
    ]  # behind its type, which is no xtext
    for value in (asked.envelope_id, original_address):
        assert value.isascii()
        assert not _CONTROL.search(xtext_decoded(value))
