"""The port of a check: something that examines mail before it is held.

A check is asked about each accepted recipient, and about complete content. It answers with a
verdict. Three kinds of filters are to fit it:

    an HTTP filter such as rspamd   `content`, whole, one request for each message
    a milter                        `content`, one conversation for each message
    a DNS block list                `recipient`, about the client's address

A check cannot endanger mail. Its runner (check_runner.py) bounds its time and the number of its
examinations at once, and decides about mail after a failure. A check cannot discard mail. Unwanted
mail is refused while the client still has it.

Theory of operation. `recipient` may return a verdict at once, if memory alone answers it; then no
task is started. Otherwise it returns a coroutine. `content` is called once the content is
complete. It reads the blocks as fast as it likes, from memory or from the spool. So a slow client
keeps no filter busy, a slow filter keeps no content in memory, and the client waits for its final
reply alone.

Rejected ideas:

- Passing blocks on as they arrive. A thousand slow clients would hold a thousand connections to the
  filter, and their blocks would wait for it in memory.
- A verdict that discards. The client would be told 250 for mail that nobody gets.
- A check that changes content. Content is held as it was sent.
"""

from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from restante.checks.verdict import PASSED, CheckVerdict
from restante.mail.address import Mailbox
from restante.tenancy.model import HostedDomain, IpAddress

Examination = Coroutine[Any, Any, CheckVerdict]
CheckAnswer = CheckVerdict | Examination


class ClientFacts(NamedTuple):
    """The client that sends the mail, as far as it is known."""

    address: IpAddress
    hello: str  # its EHLO or HELO name
    hostname: str  # ours
    tls: str = ""  # version and cipher, "" without TLS
    is_authenticated: bool = False
    spoke_early: bool = False  # before our greeting
    port: int = 0  # its own; 0 where it is not known
    name: str = ""  # the PTR name that leads back to the address, once the content is complete


class ExaminedRecipient(NamedTuple):
    """One recipient that admission accepts."""

    client: ClientFacts
    reverse_path: Mailbox | None  # None: the null reverse-path
    path: Mailbox
    domain: HostedDomain


class ExaminedContent(NamedTuple):
    """A message whose content is complete."""

    client: ClientFacts
    reverse_path: Mailbox | None
    forward_paths: tuple[str, ...]
    octets: int  # of the content
    domains: tuple[HostedDomain, ...] = ()  # of the recipients, each once


class CheckSession(Protocol):
    """A check during one SMTP session. Calls come one after another."""

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        """Examine a recipient: return the verdict, or a coroutine that returns it."""

    def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> Examination:
        """Examine content, as it is held without our own fields, if the check `reads_content`."""

    def abort(self) -> None:
        """Forget the mail transaction: it ended before its content was complete, or was refused.

        Also called if an examination was cut short. May be called without a transaction.
        """

    def close(self) -> None:
        """Let go of everything: the session has ended. Called once."""


class Check(Protocol):
    """A check, as it is configured. One serves all sessions."""

    @property
    def name(self) -> str:
        """The name for the log, such as `rspamd`."""

    @property
    def is_on(self) -> bool:
        """Whether it can object to any mail by the settings. It is asked again after a reload."""

    @property
    def reads_content(self) -> bool:
        """Whether content is examined too."""

    def open(self) -> CheckSession:
        """Begin a session. No I/O here: it is called between two commands of a client."""


class SimpleCheck:
    """The base of a check without state for a session: override what is examined."""

    name = ""
    is_on = True
    reads_content = False

    def open(self) -> CheckSession:
        """Serve every session by itself."""
        return self

    def recipient(self, facts: ExaminedRecipient) -> CheckAnswer:
        """Examine no recipient."""
        del facts
        return PASSED

    async def content(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> CheckVerdict:
        """Read no content."""
        del facts, blocks
        return PASSED

    def abort(self) -> None:
        """Keep nothing of a transaction."""

    def close(self) -> None:
        """Keep nothing of a session."""


class OnFailure(StrEnum):
    """The decision about mail that a check could not examine."""

    ACCEPT = "accept"
    DEFER = "defer"  # 451: the client keeps it and tries again


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """The bounds that a check runs within. Each examination that exceeds them has failed."""

    seconds: float = 10.0  # for one examination, with the wait for its slot
    at_once: int = 100  # examinations, over all sessions
    on_failure: OnFailure = OnFailure.ACCEPT
