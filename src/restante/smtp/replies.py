"""Replies this server can send (RFC 5321 §4.2, RFC 3463, RFC 5248).

One constant per distinct thing we say, so code and text are written once and tests compare values.
Texts name no policy and no peer: detail belongs in the log.
"""

from dataclasses import dataclass, field
from typing import Final

from restante.phrases import NOT_HOSTED, NOTHING_WAITS

_POSITIVE_BELOW = 400


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `status` is the enhanced status code, "" where RFC 2034 §4 wants none."""

    code: int
    status: str
    text: str
    more: tuple[str, ...] = ()  # further lines of a multi-line reply, without codes
    octets: bytes = field(
        init=False, repr=False, compare=False
    )  # as sent, in ASCII, whatever the peer said; encoded once: most replies are constants

    def __post_init__(self) -> None:
        object.__setattr__(self, "octets", self._encode())

    @property
    def is_positive(self) -> bool:
        """Completion or intermediate: the peer may go on."""
        return self.code < _POSITIVE_BELOW

    def fill(self, **values: object) -> "Reply":
        """Put values in the places that the text keeps for them."""
        return Reply(self.code, self.status, self.text.format(**values), self.more)

    def __str__(self) -> str:
        """Return code, status and first line: the form for logs."""
        return (
            f"{self.code} {self.status} {self.text}" if self.status else f"{self.code} {self.text}"
        )

    def _encode(self) -> bytes:
        status = f"{self.status} " if self.status else ""
        if not self.more:
            return f"{self.code} {status}{self.text}\r\n".encode("ascii", "replace")
        lines = [self.text, *self.more]
        last = len(lines) - 1
        return "".join(
            f"{self.code}{' ' if index == last else '-'}{status}{line}\r\n"
            for index, line in enumerate(lines)
        ).encode("ascii", "replace")


# Greeting and goodbye
GREETING: Final = Reply(220, "", "{hostname} ESMTP Restante")
HELLO: Final = Reply(250, "", "{hostname}")
BYE: Final = Reply(221, "2.0.0", "{hostname} closing connection")
SHUTTING_DOWN: Final = Reply(421, "4.3.2", "{hostname} shutting down, try again later")
TOO_BUSY: Final = Reply(421, "4.3.2", "{hostname} has too many connections, try again later")
TIMED_OUT: Final = Reply(421, "4.4.2", "{hostname} waited too long, closing connection")
NO_MESSAGE: Final = Reply(
    421, "4.4.2", "{hostname} waited too long for a whole message, closing connection"
)
TOO_MANY_ERRORS: Final = Reply(421, "4.7.0", "{hostname} saw too many errors, closing connection")
INTERNAL_ERROR: Final = Reply(421, "4.3.0", "{hostname} internal error, try again later")

# Commands
OK: Final = Reply(250, "2.0.0", "OK")
HELP: Final = Reply(214, "2.0.0", "Commands: {verbs}")
CANNOT_VERIFY: Final = Reply(
    252, "2.5.2", "Cannot verify, but will take mail for hosted domains"
)  # RFC 5321 §3.5.3
UNKNOWN_COMMAND: Final = Reply(500, "5.5.1", "Command not recognized")
LINE_TOO_LONG: Final = Reply(500, "5.5.2", "Line too long")  # RFC 5321 §4.5.3.1.9
BAD_CHARACTER: Final = Reply(500, "5.5.2", "Line has a character that no command may have")
BAD_ARGUMENTS: Final = Reply(501, "5.5.4", "Syntax error in arguments")
NO_ARGUMENTS_ALLOWED: Final = Reply(501, "5.5.4", "This command takes no argument")
NOT_IMPLEMENTED: Final = Reply(502, "5.5.1", "Command not implemented")
BAD_SEQUENCE: Final = Reply(503, "5.5.1", "Bad sequence of commands")
GREET_FIRST: Final = Reply(503, "5.5.1", "Say EHLO or HELO first")
UNKNOWN_PARAMETER: Final = Reply(
    555, "5.5.4", "Parameter not recognized or not offered"
)  # RFC 5321 §4.1.1.11
BAD_HELLO: Final = Reply(501, "5.5.4", "Say who you are: a domain or an address literal")

# TLS and authentication
READY_FOR_TLS: Final = Reply(220, "2.0.0", "Ready to start TLS")
TLS_ALREADY: Final = Reply(503, "5.5.1", "TLS is already in use")
DATA_BEFORE_TLS: Final = Reply(554, "5.5.0", "Data after STARTTLS, closing connection")
CHALLENGE: Final = Reply(334, "", "{challenge}")
AUTHENTICATED: Final = Reply(235, "2.7.0", "Authentication successful")
AUTH_CANCELLED: Final = Reply(501, "5.7.0", "Authentication cancelled")  # RFC 4954 §4
AUTH_UNAVAILABLE: Final = Reply(454, "4.7.0", "Temporary authentication failure")
AUTH_ALREADY: Final = Reply(503, "5.5.1", "Already authenticated")
BAD_CREDENTIALS: Final = Reply(535, "5.7.8", "Authentication credentials invalid")
BAD_BASE64: Final = Reply(501, "5.5.2", "Cannot decode response")
AUTH_LINE_TOO_LONG: Final = Reply(500, "5.5.6", "Authentication exchange line is too long")
UNKNOWN_MECHANISM: Final = Reply(504, "5.5.4", "Unrecognized authentication mechanism")
AUTH_NEEDS_TLS: Final = Reply(
    538, "5.7.11", "Encryption required for requested authentication mechanism"
)
AUTHENTICATION_REQUIRED: Final = Reply(530, "5.7.0", "Authentication required")
TLS_REQUIRED: Final = Reply(530, "5.7.0", "Must issue a STARTTLS command first")

# The mail transaction
SENDER_OK: Final = Reply(250, "2.1.0", "OK")
RECIPIENT_OK: Final = Reply(250, "2.1.5", "OK")
BAD_REVERSE_PATH: Final = Reply(501, "5.1.7", "Bad reverse-path syntax")
BAD_FORWARD_PATH: Final = Reply(501, "5.1.3", "Bad forward-path syntax")
NOT_NOW: Final = Reply(450, "4.3.2", "Not taking mail for this domain now, try again later")
CANNOT_TELL: Final = Reply(
    450, "4.1.1", "Cannot tell whether this mailbox is there, try again later"
)
NO_MAILBOX: Final = Reply(550, "5.1.1", "No such mailbox here")
RELAYING_DENIED: Final = Reply(550, "5.7.1", f"The domain {NOT_HOSTED}")
TOO_MANY_RECIPIENTS: Final = Reply(452, "4.5.3", "Too many recipients")
POSTMASTER_UNSET: Final = Reply(
    451, "4.3.5", "No postmaster mailbox is set here yet, try again later"
)
MESSAGE_TOO_LARGE: Final = Reply(552, "5.3.4", "Message exceeds the size limit")
START_CONTENT: Final = Reply(354, "", "End data with <CR><LF>.<CR><LF>")
CHUNK_OK: Final = Reply(250, "2.0.0", "{octets} octets received")
MESSAGE_HELD: Final = Reply(250, "2.0.0", "OK, held as {name}")
BARE_NEWLINE: Final = Reply(550, "5.6.0", "Content has a CR or LF that stands alone")
NUL_IN_CONTENT: Final = Reply(550, "5.6.0", "Content has a NUL octet")  # RFC 2045 §2.7, §2.8
STORE_FAILED: Final = Reply(451, "4.3.0", "Cannot store mail now, try again later")
STORE_FULL: Final = Reply(452, "4.3.1", "No room for mail now, try again later")
NOT_PROVEN: Final = Reply(451, "4.7.1", "The domain is not ready here yet, try again later")
MAIL_LOOPS: Final = Reply(451, "4.4.6", "Mail loop: the message was here before, try again later")
QUOTA_FULL: Final = Reply(452, "4.2.2", "No room for mail to this domain now, try again later")

# ETRN (RFC 1985 §5)
QUEUING_STARTED: Final = Reply(250, "2.0.0", "OK, queuing for node {target} started")
NOTHING_PENDING: Final = Reply(251, "2.0.0", f"OK, {NOTHING_WAITS} for node {{target}}")
MESSAGES_PENDING: Final = Reply(
    253, "2.0.0", "OK, {count} pending messages for node {target} started"
)
CANNOT_QUEUE: Final = Reply(458, "4.3.0", "Unable to queue messages for node {target}")
TARGET_BY_ATRN_ONLY: Final = Reply(
    459, "4.7.1", "Node {target} not allowed: no destination, use ATRN to take its mail"
)
NODE_NOT_ALLOWED: Final = Reply(459, "4.7.1", "Node {target} not allowed")
NODE_MISSING: Final = Reply(500, "5.5.4", "ETRN needs the name of a node")
NODE_INVALID: Final = Reply(501, "5.5.4", "Argument is not a domain, @domain or #name")

# ATRN (RFC 2645 §5.2.1)
TURNING_AROUND: Final = Reply(250, "2.0.0", "OK now reversing the connection")
TURN_REFUSED: Final = Reply(450, "4.7.1", "ATRN request refused")
TURN_SUSPENDED: Final = Reply(451, "4.3.2", "Unable to process ATRN request now")
TURN_FAILED: Final = Reply(451, "4.3.0", "Unable to process ATRN request now")
NO_MAIL_TO_TURN: Final = Reply(453, "4.2.0", "You have no mail")
TURN_INVALID: Final = Reply(
    501, "5.5.4", "Argument is not a list of domains, @domain or #name with commas between"
)
