"""One message in a store in memory, with the facts about its recipients."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from restante.mail.address import path_matches
from restante.mail.message import HeldMessage, NewMessage
from restante.mail.policy_deferrals import NO_DEFERRALS, PolicyDeferrals
from restante.queue.recipient_status import RecipientMove, RecipientOutcome, RecipientStatus
from restante.queue.reporting import wants_word_of_delay
from restante.store.queue_store import QueuedMessage, QueuedRecipient, QueueFilter
from restante.store.stored_form.origin_column import client_is_within


@dataclass(slots=True)
class MemoryMessage:
    """One message: its waiting and refused recipients, and the destination's reply on each."""

    message: NewMessage
    held: list[str]
    refused: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    replies: dict[str, str] = field(default_factory=dict)
    tried: dict[str, tuple[float, int]] = field(default_factory=dict)  # last time, and how often
    times: dict[str, float] = field(default_factory=dict)  # at which one was refused, or held again
    is_delay_told: bool = False
    doubts: int = 0
    deferrals: PolicyDeferrals = NO_DEFERRALS

    @property
    def wants_word_of_delay(self) -> bool:
        """Whether its sender is still owed a report of delay."""
        return not self.is_delay_told and wants_word_of_delay(self.message.envelope)

    @property
    def all_paths(self) -> tuple[str, ...]:
        """All recipients, first those that wait."""
        return (*self.held, *sorted(self.refused | self.uncertain | self.damaged))

    @property
    def held_since(self) -> float:
        """Since when the last of the waiting recipients waits."""
        return max([self.message.received_at, *self.times.values()])

    def settle(self, outcome: RecipientOutcome, at: float) -> None:
        """Record the outcome of one recipient."""
        path = outcome.forward_path
        if path not in self.held:
            return  # deleted or settled meanwhile
        self.replies[path] = outcome.reply
        self.tried[path] = (at, self.tried.get(path, (at, 0))[1] + 1)
        if outcome.move is not RecipientMove.DEFERRED:
            self.held = [other for other in self.held if other != path]
        if outcome.move is RecipientMove.DELIVERED:
            self.times.pop(path, None)
        if outcome.move is RecipientMove.REFUSED:
            self.refused.add(path)
            self.times[path] = at
        if outcome.move is RecipientMove.UNCERTAIN:
            self.uncertain.add(path)
            self.times[path] = at

    def park(self, reply: str) -> None:
        """Mark who waits as damaged, in the store's own words."""
        self.replies |= dict.fromkeys(self.held, reply)
        self.times |= dict.fromkeys(self.held, self.message.received_at)
        self.damaged.update(self.held)
        self.held = []

    def expire(self, status: RecipientStatus, before: float) -> bool:
        """Remove who has the status since before then; tell whether there was anybody."""
        if status is RecipientStatus.HELD:
            is_due = bool(self.held) and self.held_since < before
            if is_due:
                self.times = {path: at for path, at in self.times.items() if path not in self.held}
                self.held = []
            return is_due
        due = {path for path in self.refused | self.damaged if self.times[path] < before}
        self.refused -= due
        self.damaged -= due
        self.times = {path: at for path, at in self.times.items() if path not in due}
        return bool(due)

    def give_up(self, paths: Sequence[str]) -> None:
        """Remove these recipients."""
        self.held = [path for path in self.held if path not in paths]
        self.refused.difference_update(paths)
        self.uncertain.difference_update(paths)
        self.damaged.difference_update(paths)
        self.times = {path: at for path, at in self.times.items() if path not in paths}

    def release_again(self, at: float, status: RecipientStatus | None) -> bool:
        """Hold recipients with this status, or any, again; return whether there were some."""
        parked = [path for path in self.all_paths if self._is_parked(path, status)]
        if not parked:
            return False
        if not self.held:  # otherwise a drain may have it now: it must not move in its order
            self.deferrals = NO_DEFERRALS
        self.times |= dict.fromkeys(parked, at)
        self.held.extend(parked)
        for marked in (self.refused, self.uncertain, self.damaged):
            marked.difference_update(parked)
        self.doubts = 0
        return True

    def _is_parked(self, path: str, status: RecipientStatus | None) -> bool:
        now = self._status(path)
        return now is not RecipientStatus.HELD and status in (None, now)

    def recipients(self) -> Iterator[QueuedRecipient]:
        """Yield them as the queue lists them."""
        for path in self.all_paths:
            tried_at, attempts = self.tried.get(path, (0.0, 0))
            reply = self.replies.get(path, "")
            yield QueuedRecipient(path, self._status(path), reply, tried_at or None, attempts)

    def _status(self, path: str) -> RecipientStatus:
        if path in self.uncertain:
            return RecipientStatus.UNCERTAIN
        if path in self.damaged:
            return RecipientStatus.DAMAGED
        return RecipientStatus.REFUSED if path in self.refused else RecipientStatus.HELD


def handed_out(kept: MemoryMessage, forward_paths: tuple[str, ...], mark: int = 0) -> HeldMessage:
    """Return a message in the form that the drain with a mark takes, with these recipients."""
    message = kept.message
    return HeldMessage(
        message.number,
        message.domain_id,
        message.envelope._replace(forward_paths=forward_paths),
        message.received_at,
        message.head,
        message.file,
        kept.is_delay_told,
        doubts=kept.doubts,
        message_id=message.message_id,
        deferrals=kept.deferrals,
        was_deferred=kept.deferrals.is_before(mark),
        is_sealed=message.is_sealed,
    )


def listed(kept: MemoryMessage, selection: QueueFilter) -> QueuedMessage:
    """Return it as the queue lists it."""
    message = kept.message
    recipients = tuple(
        recipient for recipient in kept.recipients() if selection.concerns(recipient)
    )
    return QueuedMessage(
        message.number,
        message.domain_id,
        message.envelope.reverse_path,
        recipients,
        message.received_at,
        message.size,
        message.message_id or "",
        message.envelope.is_suspect,
        kept.deferrals.drains,
    )


def selects(selection: QueueFilter, message: NewMessage) -> bool:
    """Tell whether a message is chosen, whatever its recipients."""
    return (
        message.number > selection.after
        and (selection.domain_ids is None or message.domain_id in selection.domain_ids)
        and selection.reverse_path in (None, message.envelope.reverse_path)
        and (selection.received_before is None or message.received_at < selection.received_before)
        and (selection.received_since is None or message.received_at >= selection.received_since)
        and (
            selection.sender is None
            or path_matches(message.envelope.reverse_path, selection.sender)
        )
        and selection.message_id in (None, message.message_id)
        and (
            selection.client is None
            or (
                message.origin is not None
                and client_is_within(message.origin.address, selection.client)
            )
        )
        and (selection.larger_than is None or message.size > selection.larger_than)
        and (selection.numbers is None or message.number in selection.numbers)
    )
