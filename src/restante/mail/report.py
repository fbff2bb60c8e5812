"""Delivery reports as values (RFC 3464): what one says, and one that is ready to be sent."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What a report says of recipients (RFC 3464 §2.3.3).

    Never `delivered`: we only pass on; never `expanded`.
    """

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"  # handed over to a server that reports nothing


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient; `reply` is the destination's last word on it, "" if it has said none."""

    forward_path: str
    reply: str = ""
    is_refused: bool = False  # it was the destination that ended it


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What there is to tell of a message; `remote` is the host that was to get it, "" where none was asked."""

    action: Action
    fates: tuple[Fate, ...]
    remote: str = ""


@dataclass(frozen=True, slots=True)
class NewReport:
    """A report that is made and not stored yet.

    It goes from the null reverse-path to `reverse_path`.
    """

    about: int  # the number of the message
    domain_id: int  # whose mail that is
    action: Action
    forward_paths: tuple[str, ...]  # of whom it speaks
    reverse_path: str
    content: bytes
    made_at: float  # Unix time
    is_8bit: bool = False
    needs_smtputf8: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A report that waits to be sent."""

    number: int  # of reports: another series than messages have
    about: int
    domain_id: int
    action: Action
    reverse_path: str
    content: bytes
    made_at: float
    is_8bit: bool = False
    needs_smtputf8: bool = False
    failures: int = 0  # attempts so far
    reply: str = ""  # why the last one failed
