"""The findings of checks about one message that they let pass. Pure.

Each recipient is examined by itself. So a check may say the same several times: a note and a field
count once, and the highest score counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from restante.checks.verdict import CheckPassed
from restante.mail.message_origin import NO_VERDICTS, VERDICT_LIMIT

NOTES_LIMIT: Final = 1000  # characters of all
FIELDS_LIMIT: Final = 4096  # octets


@dataclass(frozen=True, slots=True)
class Findings:
    """All of them, by check."""

    by_check: Mapping[str, CheckPassed] = field(default_factory=dict)
    is_suspect: bool = False

    def with_one(self, check: str, passed: CheckPassed) -> "Findings":
        """Return these and what a check found."""
        earlier = self.by_check.get(check)
        joined = passed if earlier is None else _joined(earlier, passed)
        return Findings({**self.by_check, check: joined}, self.is_suspect or passed.is_suspect)

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes and score of each check, for the log: `rspamd 3.2: BAYES_SPAM, R_SPF_FAIL`."""
        notes, room = [], NOTES_LIMIT
        for check, found in self.by_check.items():
            if text := _text(check, found)[:room]:
                notes.append(text)
                room -= len(text)
        return tuple(notes)

    @property
    def verdicts(self) -> Mapping[str, str]:
        """The verdict of each check, to be kept beside the message."""
        if not self.by_check:  # as nearly always
            return NO_VERDICTS
        found = {check: _verdict(passed) for check, passed in self.by_check.items()}
        return {check: text for check, text in found.items() if text}

    @property
    def header(self) -> bytes:
        """The added fields, whole, as far as they fit the limit."""
        header = b""
        for found in self.by_check.values():
            for each in found.fields:
                line = bytes(each)
                if len(header) + len(line) <= FIELDS_LIMIT:
                    header += line
        return header


def _joined(one: CheckPassed, other: CheckPassed) -> CheckPassed:
    scores = [score for score in (one.score, other.score) if score is not None]
    return CheckPassed(
        notes=tuple(dict.fromkeys([*one.notes, *other.notes])),
        score=max(scores, default=None),
        fields=tuple(dict.fromkeys([*one.fields, *other.fields])),
        is_suspect=one.is_suspect or other.is_suspect,
    )


def _text(check: str, found: CheckPassed) -> str:
    if not found.notes and found.score is None:
        return ""
    name = check if found.score is None else f"{check} {found.score:g}"
    return f"{name}: {', '.join(found.notes)}" if found.notes else name


def _verdict(found: CheckPassed) -> str:
    suspicion = "suspect" if found.is_suspect else ""
    score = "" if found.score is None else f"score {found.score:g}"
    parts = [part for part in (suspicion, score, ", ".join(found.notes)) if part]
    return "; ".join(parts)[:VERDICT_LIMIT]


NOTHING_FOUND: Final = Findings()
