"""Faults put into the server on purpose: a simulation that misses them would prove nothing.

Each replaces one decision of the program by a wrong one. `test_mutants` lets the simulation find
each of them within a few seeds.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from restante.background.fair_slots import FairSlots
from restante.delivery import attempt_mail, dial_plan, domain_drain, drain_attempt, pending_mail
from restante.delivery.attempt_end import AttemptKind
from restante.delivery.attempt_mail import AttemptMail
from restante.delivery.mail_supply import MailSupply
from restante.delivery.refused_clients import ClientRow
from restante.delivery.stop_rules import AttemptStop
from restante.mail.message import HeldMessage, NewMessage
from restante.mail.message_origin import MessageOrigin
from restante.mail.policy_deferrals import PolicyDeferrals
from restante.queue.deferred_by_policy import counted_outcome
from restante.queue.recipient_status import MessageOutcome, RecipientMove, RecipientOutcome
from restante.reception.intake import Intake, IntakeReceipt, ReceivedMail, _size
from restante.release import releaser
from restante.release.authorization import ReleaseAuthorization
from restante.smtp import handshake
from restante.smtp.client_transaction import XCLIENT
from restante.smtp.handshake import Handshake, HandshakeStep
from restante.smtp.passed_client import PassedClient, passed_client
from restante.smtp.peer_replies import ServerReply
from restante.smtp.window_size import SendWindow
from restante.store.handover_store import Drain
from restante.store.memory.memory_handover import MemoryHandover
from restante.store.sqlite import ledger_queries
from restante.store.sqlite.sqlite_handover import SqliteHandover
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import StoreError
from restante.tenancy.model import HostedDomain
from restante.tenancy.policy import Policy

Replacement = tuple[Any, str, Any]
_PLENTY: Final = 10_000


def _acknowledge_before_hold() -> list[Replacement]:
    """Say 250 first, and store then."""

    async def hold(self: Intake, mails: list[ReceivedMail]) -> None:
        messages: list[NewMessage] = []
        for mail in mails:
            self._add(messages, mail)
        for mail in mails:
            self._answer(mail, IntakeReceipt(mail.name, _size(mail)))
        try:
            await self._store.hold(messages)
        except StoreError:
            return
        self._tell(messages)

    return [(Intake, "_hold", hold)]


def _delete_before_the_final_reply() -> list[Replacement]:
    """Record a message as delivered when a connection takes it."""
    take = AttemptMail.take

    def take_and_settle(self: AttemptMail, client: PassedClient | None) -> HeldMessage | None:
        message = take(self, client)
        if message is not None:
            paths = message.envelope.forward_paths
            done = tuple(RecipientOutcome(path, RecipientMove.DELIVERED) for path in paths)
            self._settlement.add(MessageOutcome(message.number, done))
        return message

    return [(AttemptMail, "take", take_and_settle)]


def _settle_refused_as_delivered() -> list[Replacement]:
    """Take 5xx for a delivery."""
    record = AttemptMail.record

    def record_delivered(
        self: AttemptMail, message: HeldMessage, outcome: MessageOutcome, reply: str
    ) -> RecipientMove:
        done = tuple(
            one._replace(move=RecipientMove.DELIVERED) if one.move is RecipientMove.REFUSED else one
            for one in outcome.recipients
        )
        return record(self, message, outcome._replace(recipients=done), reply)

    return [(AttemptMail, "record", record_delivered)]


def _deliver_to_anothers_destination() -> list[Replacement]:
    """Take the destination of any domain now and then."""
    find, tries = dial_plan.find_dial_plan, iter(range(_PLENTY))

    async def find_any(domain: HostedDomain, context: Any) -> Any:
        if next(tries) % 3 == 2:
            hosted = context.directory.now.domains
            domain = replace(domain, destination=hosted[min(hosted)].destination)
        return await find(domain, context)

    return [(domain_drain, "find_dial_plan", find_any)]


def _starve_behind_a_busy_account() -> list[Replacement]:
    """Give slots to the account that has the most, without a limit."""

    def next_account(self: FairSlots) -> str | None:
        return max(self._waiting, key=self._taken.__getitem__, default=None)

    return [(FairSlots, "_next", next_account)]


def _send_without_a_window() -> list[Replacement]:
    """Send all there is ahead of the replies."""
    return [
        (SendWindow, "has_room", property(lambda _: True)),
        (drain_attempt, "UNSETTLED_PER_CONNECTION", _PLENTY),
    ]


def _release_for_anybody() -> list[Replacement]:
    """Grant every release of a hosted domain."""

    def authorize(_requester: Any, target: Any, directory: Any, *_: Any) -> ReleaseAuthorization:
        return ReleaseAuthorization(tuple(target.hosted(directory)), "granted")

    return [(releaser, "authorize", authorize)]


def _forget_drains_at_a_crash() -> list[Replacement]:
    """Take up no drain that an earlier life of the server has begun."""

    async def nothing(_self: Any, _running: Any) -> list[Drain]:
        return []

    return [(kind, "claimable_drains", nothing) for kind in (MemoryHandover, SqliteHandover)]


def _commit_mail_later() -> list[Replacement]:
    """Answer for new mail at once, and commit it with the next other change, on SQLite."""
    commit = WriteTransaction.commit

    def begin(self: WriteTransaction) -> None:
        if not self.connection.in_transaction:
            self.connection.execute(ledger_queries.BEGIN)
        self._is_begun = True

    def commit_other(self: WriteTransaction) -> None:
        if self._is_begun or not self.new_messages:
            commit(self)
            return
        self._begin()
        self._hold(self.new_messages)
        self.ledger.fall_behind()

    return [(WriteTransaction, "_begin", begin), (WriteTransaction, "commit", commit_other)]


def _deliver_while_suspended() -> list[Replacement]:
    """See no suspension."""
    return [(Policy, "suspension_at", lambda *_: None)]


def _mix_clients() -> list[Replacement]:
    """Hand over the mail of every client in a connection of the first one."""
    first: list[PassedClient] = []

    def find(origin: MessageOrigin | None) -> PassedClient | None:
        client = passed_client(origin)
        if client is not None and not first:
            first.append(client)
        return first[0] if client is not None else None

    return [(pending_mail, "passed_client", find)]


def _go_on_in_our_own_name() -> list[Replacement]:
    """Hand over mail although the primary has refused its client."""
    take = Handshake._take_xclient

    def take_any(self: Handshake, reply: ServerReply) -> HandshakeStep:
        return take(self, reply._replace(code=220))

    return [(handshake, "_STEPS", {**handshake._STEPS, XCLIENT: take_any})]


def _hand_over_all_for_a_name() -> list[Replacement]:
    """Take a release of named messages for one of all mail."""
    only = MailSupply.only
    return [(MailSupply, "only", lambda self, _numbers: only(self, None))]


def _settle_deferred_by_policy() -> list[Replacement]:
    """Take mail that a policy deferred for mail that is done."""
    count = counted_outcome

    def count_as_done(outcome: MessageOutcome, *args: Any) -> MessageOutcome:
        counted = count(outcome, *args)
        if counted.deferrals is None:
            return counted
        done = tuple(one._replace(move=RecipientMove.DELIVERED) for one in counted.recipients)
        return counted._replace(recipients=done)

    return [(attempt_mail, "counted_outcome", count_as_done)]


def _end_at_refused_clients() -> list[Replacement]:
    """End an attempt when ten clients were refused, as if the destination were broken."""
    refused = ClientRow.refused

    def stop(self: ClientRow, reason: str) -> AttemptStop | None:
        refused(self, reason)
        return AttemptStop(reason, AttemptKind.STOPPED) if self._refused >= 10 else None

    return [(ClientRow, "refused", stop)]


def _end_at_clients_refused_by_policy() -> list[Replacement]:
    """End a drain when a policy refused the mail of many clients, as if all were refused."""

    def stop(_row: ClientRow, _client: PassedClient, _mailbox: str, reason: str) -> AttemptStop:
        return AttemptStop(reason, AttemptKind.REFUSING)

    return [(ClientRow, "kept", stop)]


def _keep_the_place_of_deferred_mail() -> list[Replacement]:
    """Try mail again in its old place, however often a policy deferred it."""
    return [(PolicyDeferrals, "is_before", lambda *_: False)]


MUTANTS: Final[Mapping[str, Callable[[], list[Replacement]]]] = {
    "acknowledge-before-hold": _acknowledge_before_hold,
    "delete-before-the-final-reply": _delete_before_the_final_reply,
    "settle-refused-as-delivered": _settle_refused_as_delivered,
    "deliver-to-anothers-destination": _deliver_to_anothers_destination,
    "starve-behind-a-busy-account": _starve_behind_a_busy_account,
    "send-without-a-window": _send_without_a_window,
    "release-for-anybody": _release_for_anybody,
    "forget-drains-at-a-crash": _forget_drains_at_a_crash,
    "deliver-while-suspended": _deliver_while_suspended,
    "commit-mail-later": _commit_mail_later,
    "mix-clients": _mix_clients,
    "go-on-in-our-own-name": _go_on_in_our_own_name,
    "hand-over-all-for-a-name": _hand_over_all_for_a_name,
    "settle-deferred-by-policy": _settle_deferred_by_policy,
    "keep-the-place-of-deferred-mail": _keep_the_place_of_deferred_mail,
    "end-at-refused-clients": _end_at_refused_clients,
    "end-at-clients-refused-by-policy": _end_at_clients_refused_by_policy,
}


def mutation(name: str) -> Callable[[], AbstractContextManager[Any]]:
    """Return what puts a fault in for the time of a block; "" puts in none."""
    return partial(_put_in, MUTANTS[name]) if name else nullcontext


@contextmanager
def _put_in(mutant: Callable[[], list[Replacement]]) -> Iterator[None]:
    with ExitStack() as stack:
        for target, attribute, instead in mutant():
            stack.enter_context(patch.object(target, attribute, instead))
        yield
