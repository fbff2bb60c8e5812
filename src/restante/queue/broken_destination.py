"""When refusals show that a destination is broken, and when they concern only their recipients.

    the refusal                                                            for `refusals_limit`
    ---------------------------------------------------------------------  --------------------
    has an enhanced code X.1.x (RFC 3463 §3.2: addressing)                   no
    is 550, 551 or 553 to RCPT, and the destination has accepted another     no
    RCPT of this drain (RFC 5321 §4.2.3: mailbox not available, not local)
    anything else                                                            yes

A message counts if every recipient was refused and one of these refusals counts. Messages that
count are counted in a row. A message that was delivered or deferred starts the row again. A message
that does not count leaves it as it is.

A destination that has lost its list of mailboxes says X.1.x of everybody. So the same reply for 20
different recipients is judged as a policy and stops the drain too, if the destination has never
taken mail.
"""

from typing import Final

from restante.mail.quantity import counted
from restante.queue.recipient_status import (
    MessageOutcome,
    RecipientMove,
    RecipientOutcome,
    TransactionStage,
)

POLICY_RECIPIENTS: Final = 20
_MOST_TEXTS: Final = (
    1000  # kept at a time, so that replies that all differ cost no more memory than that
)
_ABOUT_ADDRESS: Final = "1."  # the subject of the enhanced code
_ABOUT_MAILBOX: Final = frozenset({550, 551, 553})


class BrokenDestinationDetector:
    """How one drain judges the refusals of its destination."""

    def __init__(self, *, takes_mail: bool = False) -> None:
        """`takes_mail`: the destination has taken mail in an earlier drain."""
        self._takes_mail = takes_mail
        self._row = 0
        self._has_accepted = False
        self._refused_by_text: dict[
            str, set[str]
        ] = {}  # forward-paths; empty once a recipient was accepted

    def begin(self) -> None:
        """Start again at the beginning of an attempt; recipients accepted before still count."""
        self._row = 0
        self._refused_by_text.clear()

    def note_accepted(self, outcome: MessageOutcome) -> None:
        """Remember whether the destination has accepted a recipient, and count nothing."""
        if not self._has_accepted and any(map(_is_accepted, outcome.recipients)):
            self._has_accepted = True
            self._refused_by_text.clear()

    def take(self, outcome: MessageOutcome, limit: int) -> str:
        """Count an outcome; return why the drain must stop, "" if it goes on.

        `limit`: messages in a row.
        """
        if outcome.is_ours:
            self._row = 0
            return ""
        self.note_accepted(outcome)
        if not outcome.is_refused:
            self._row = 0
            return ""
        if any(not self._concerns_recipient(recipient) for recipient in outcome.recipients):
            self._row += 1
            if self._row == limit:
                row = counted(self._row, "message in a row was", "messages in a row were")
                return f"{row} refused: {outcome.recipients[-1].reply}"
        return self._policy(outcome)

    def _concerns_recipient(self, refusal: RecipientOutcome) -> bool:
        status = refusal.status
        if status is None:
            return False
        if status.is_permanent and status.topic.startswith(_ABOUT_ADDRESS):
            return True
        is_at_rcpt = refusal.stage is TransactionStage.RCPT
        return is_at_rcpt and self._has_accepted and status.code in _ABOUT_MAILBOX

    def _policy(self, outcome: MessageOutcome) -> str:
        """Return the reply that everybody gets, if there is one."""
        if self._has_accepted or self._takes_mail:
            return ""
        for refusal in outcome.recipients:
            if not self._concerns_recipient(refusal):
                continue
            if (
                refusal.reply not in self._refused_by_text
                and len(self._refused_by_text) == _MOST_TEXTS
            ):
                self._refused_by_text.clear()
            paths = self._refused_by_text.setdefault(refusal.reply, set())
            paths.add(refusal.forward_path)
            if len(paths) == POLICY_RECIPIENTS:
                return (
                    f"{POLICY_RECIPIENTS} recipients were refused alike and none was accepted:"
                    f" {refusal.reply}"
                )
        return ""


def _is_accepted(recipient: RecipientOutcome) -> bool:
    """Tell whether the destination accepted this RCPT, whatever happened to the content."""
    return recipient.move is RecipientMove.DELIVERED or recipient.stage in (
        TransactionStage.DATA,
        TransactionStage.CONTENT,
    )
