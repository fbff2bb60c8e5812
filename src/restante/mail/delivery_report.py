"""Delivery reports as values (RFC 3464): the facts of one, and one that is ready to be sent."""

from dataclasses import dataclass
from enum import StrEnum


class ReportAction(StrEnum):
    """The action that a report names for recipients (RFC 3464 §2.3.3).

    Never `delivered`: we only pass on; never `expanded`.
    """

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"  # handed over to a server that reports nothing


@dataclass(frozen=True, slots=True)
class ReportedRecipient:
    """The outcome for one recipient; `reply` is the destination's latest reply, "" if none."""

    forward_path: str
    reply: str = ""
    is_refused: bool = False  # it was the destination that ended it


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """The facts of a report; `remote` is the host that was tried, "" where none was asked."""

    action: ReportAction
    recipients: tuple[ReportedRecipient, ...]
    remote: str = ""


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report that is made and not stored yet.

    It goes from the null reverse-path to `reverse_path`.
    """

    about: int  # the number of the message
    domain_id: int  # whose mail that is
    action: ReportAction
    forward_paths: tuple[str, ...]  # the recipients that it names
    reverse_path: str
    content: bytes
    made_at: float  # Unix time
    is_8bit: bool = False
    needs_smtputf8: bool = False
    is_sealed: bool = False  # its content is (`store/sealing`)


@dataclass(frozen=True, slots=True)
class Report:
    """A report that waits to be sent."""

    number: int  # of reports: another series than messages have
    about: int
    domain_id: int
    action: ReportAction
    reverse_path: str
    content: bytes
    made_at: float
    is_8bit: bool = False
    needs_smtputf8: bool = False
    failures: int = 0  # attempts so far
    reply: str = ""  # why the last one failed
    is_sealed: bool = False  # as of a new one
