"""The result of one attempt to send a notice."""

from dataclasses import dataclass
from enum import StrEnum


class NoticeResult(StrEnum):
    """How an attempt ended."""

    SENT = "sent"
    NOT_NOW = "not-now"  # the same notice may get through later
    REFUSED = "refused"  # it never will


@dataclass(frozen=True, slots=True)
class NoticeAttempt:
    """One attempt; `text` is the answer, or why there was none, without secrets."""

    end: NoticeResult
    text: str
