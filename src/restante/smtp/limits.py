"""Limits on one session's input (RFC 5321 §4.5.3.1 gives the least a server must take)."""

from dataclasses import dataclass

COMMAND_OCTETS = 2048  # with CRLF; RFC 5321 asks for 512, its extensions add to that (§4.1.1.11)
AUTH_OCTETS = 12288  # one line of an AUTH exchange, with CRLF (RFC 4954 §4)


@dataclass(frozen=True, slots=True)
class SmtpLimits:
    """The limits that the operator set."""

    message_octets: int = 50 * 1024 * 1024
    recipients: int = 1000
    errors: int = 20
    early_commands: int = 10  # before EHLO
    junk_commands: int = 100  # between two messages
    refused_recipients: int = 100
