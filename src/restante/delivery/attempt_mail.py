"""The mail of an attempt, on its way from the supply to the settlement.

A message that leaves the supply is in hand until its outcome is recorded, or it is given back. So
an attempt has tried all mail when the supply has no more and none is in hand. The settlement gets
every outcome of a drain here, and nowhere else.

Mail that no connection can take is deferred until the next round. The store may be unable to reach
its content, or its client may be silent or refused.
"""

import asyncio
from typing import Final

from restante.delivery.attempt_context import AttemptContext
from restante.delivery.attempt_end import AttemptKind
from restante.delivery.reply_outcome import deferred_for
from restante.mail.message import HeldMessage
from restante.mail.policy_deferrals import PolicyDeferrals
from restante.mail.quantity import counted
from restante.queue.deferred_by_policy import counted_outcome, counted_refusal_of_client
from restante.queue.recipient_status import MessageOutcome, RecipientMove
from restante.smtp.passed_client import PassedClient
from restante.store.store_errors import StoreError

SILENT_REASON: Final = "connections in the name of its client, or its network, get no answer"
REFUSED_REASON: Final = "connections in the name of its client, or its network, were refused"


class AttemptMail:
    """Made for each attempt."""

    def __init__(self, attempt: AttemptContext) -> None:
        self._supply = attempt.supply
        self._settlement = attempt.settlement
        self._drain_log = attempt.drain_log
        self._tally = attempt.tally
        self._after_drains = attempt.plan.domain.policy.after_drains
        self._in_hand = 0  # messages taken, and without an outcome
        self._woken = asyncio.Event()
        self._tally.on_stop.append(lambda _: self.wake())

    # From the supply

    @property
    def unsettled(self) -> int:
        """How many are in delivery, or have an outcome that is not stored: a crash can double."""
        return self._settlement.unsettled + self._in_hand

    @property
    def is_read_due(self) -> bool:
        """Whether `read_on` has something to do."""
        return self._supply.is_low or self._has_tried_all

    @property
    def _has_tried_all(self) -> bool:
        return self._supply.is_exhausted and self._supply.is_empty and not self._in_hand

    def wake(self) -> None:
        """Let `wait` return."""
        self._woken.set()

    async def wait(self) -> None:
        """Wait until it is time to look at `is_read_due` again."""
        await self._woken.wait()
        self._woken.clear()

    async def read_on(self) -> bool:
        """Read more mail, and mail that came while all of it was tried; return if there is more.

        The attempt ends if all was tried, or if mail cannot be read.
        """
        was_all = self._has_tried_all
        try:
            has_more = await self._supply.read()
        except StoreError as error:
            self._tally.stop(f"held mail cannot be read: {error}")
            return False
        self._defer_unreachable()
        self.defer_surplus()
        if was_all and not has_more and self._has_tried_all:
            left = counted(self._supply.left_behind, "message was", "messages were")
            self._tally.stop(f"every message was tried, {left} deferred", AttemptKind.COMPLETE)
        return has_more

    def take(self, client: PassedClient | None) -> HeldMessage | None:
        """Return the next message of a client, None if there is none now. It is in hand then."""
        message = self._supply.take(client)
        if message is not None:
            self._in_hand += 1
        if client is not None and self._supply.is_silent(client):  # it has an answer now
            self._supply.found_answered(client)
        if self._supply.is_low:
            self._woken.set()
        return message

    def give_back_after_mail(self, message: HeldMessage) -> bool:
        """Give back a message without an outcome: its connection had taken mail.

        Return False if the message was lost too often: then it needs an outcome.
        """
        if not self._supply.give_back(message, took_mail=True):
            return False
        self._in_hand -= 1
        return True

    # To the settlement

    def record(self, message: HeldMessage, outcome: MessageOutcome, reply: str) -> RecipientMove:
        """Have an outcome settled. The message is no longer in hand."""
        self._settlement.add(outcome)
        self._in_hand -= 1
        self._tally.tried += 1
        if not self._in_hand:
            self._woken.set()
        return self._drain_log.record(message, outcome, reply)

    def record_deferred(self, message: HeldMessage, reason: str) -> None:
        """Record that a message has to be sent again, for no reply of its own."""
        self.record(message, deferred_for(message, reason), "")

    def count_left(self, outcome: MessageOutcome) -> None:
        """Count a message that was tried, if some recipients of it are still held."""
        self._supply.left_behind += any(
            recipient.move is RecipientMove.DEFERRED for recipient in outcome.recipients
        )

    def count_drains(self, message: HeldMessage, outcome: MessageOutcome) -> MessageOutcome:
        """Return the outcome with this drain counted, if a policy put the mail off."""
        return counted_outcome(outcome, *self._deferrals_of(message))

    def count_refusals(self, message: HeldMessage, outcome: MessageOutcome) -> MessageOutcome:
        """Return the outcome with this drain counted: the client of the message was refused."""
        return counted_refusal_of_client(outcome, *self._deferrals_of(message))

    def _deferrals_of(self, message: HeldMessage) -> tuple[PolicyDeferrals, int, int | None]:
        """Return the count of drains before this one, the mark of this one, and the limit."""
        return message.deferrals, self._supply.mark, self._after_drains

    # Mail that no connection takes

    def defer_client(
        self, client: PassedClient, reason: str, *, is_client_refused: bool = False
    ) -> None:
        """Leave a client's mail held that has been read."""
        while (message := self._supply.take(client)) is not None:
            self._defer_unsent(message, reason, is_client_refused=is_client_refused)

    def defer_surplus(self) -> None:
        """Defer mail of silent and refused clients beyond a limit: the next round tries again."""
        while (message := self._supply.take_surplus()) is not None:
            is_silent = self._supply.is_silent(self._supply.client_of(message))
            self._defer_unsent(message, SILENT_REASON if is_silent else REFUSED_REASON)

    def _defer_unreachable(self) -> None:
        """Defer messages whose content the store cannot reach: the next round tries them again."""
        for message, reason in self._supply.take_unreachable():
            self._defer_unsent(message, f"its content cannot be read now: {reason}")

    def _defer_unsent(
        self, message: HeldMessage, reason: str, *, is_client_refused: bool = False
    ) -> None:
        """Defer a message that no connection has taken, until the next round."""
        outcome = deferred_for(message, reason)
        if is_client_refused:
            outcome = self.count_refusals(message, outcome)
        self._in_hand += 1
        self.record(message, outcome, "")
        self._supply.left_behind += 1
