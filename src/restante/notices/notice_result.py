"""What became of one attempt to send a notice."""

from dataclasses import dataclass
from enum import StrEnum


class NoticeResult(StrEnum):
    """How an attempt ended."""

    SENT = "sent"
    NOT_NOW = "not now"  # the same notice may get through later
    REFUSED = "refused"  # it never will


@dataclass(frozen=True, slots=True)
class NoticeAttempt:
    """One attempt; `text` is what was answered or why there was no answer, without anything secret."""

    end: NoticeResult
    text: str
