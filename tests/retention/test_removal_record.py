"""The record of mail that is removed: its facts, and no more of a list than is shown."""

from restante.queue.recipient_status import RecipientStatus
from restante.retention.removal_record import change_event, removal_of
from restante.store.queue_store import QueuedMessage, QueuedRecipient
from restante.tenancy.audit import AuditAction, AuditEntry
from restante.tenancy.record_change import Change


def queued(number: int, message_id: str = "") -> QueuedMessage:
    recipient = QueuedRecipient(f"r{number}@a.example", RecipientStatus.REFUSED, "550 no")
    return QueuedMessage(number, 1, "bob@example.org", (recipient,), 0.0, 9, message_id)


def test_the_facts_of_removed_mail_stand_once_and_in_order() -> None:
    assert removal_of([queued(2, "<2@a>"), queued(1, "<1@a>"), queued(3)]) == [
        Change("status", "refused", "none"),
        Change("reverse_path", "<bob@example.org>", "none"),
        Change("recipients", "r1@a.example, r2@a.example, r3@a.example", "none"),
        Change("message_id", "<1@a>, <2@a>", "none"),
    ]


def test_mail_without_a_message_id_has_none() -> None:
    assert [one.field for one in removal_of([queued(1)])] == [
        "status",
        "reverse_path",
        "recipients",
    ]
    assert removal_of([]) == []


def test_long_lists_are_cut() -> None:
    [*_, ids] = removal_of([queued(number, f"<{number}@example.org>") for number in range(500)])
    assert ids.before.endswith("… (500 in all)")


def test_the_event_has_the_changes_as_texts() -> None:
    entry = AuditEntry(
        1.0,
        AuditAction.MAIL_EXPIRED,
        "policy retention",
        "11",
        account="alpha",
        changes=tuple(removal_of([queued(1, "<1@a>")])),
    )
    event = change_event(entry)
    assert (event.action, event.subject, event.account) == ("mail-expired", "11", "alpha")
    assert event.changes[-1] == "message_id: <1@a> → none"
