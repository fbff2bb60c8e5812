"""The reports to each sender, by the table of RFC 3461 §5.2.2."""

import pytest

from restante.mail.delivery_report import ReportAction
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest
from restante.mail.envelope import Envelope
from restante.queue.reporting import recipients_to_tell_of, wants_word_of_delay

ANNA, BERT = "anna@b.example", "bert@b.example"


def envelope(
    notify: Notify | None = None, reverse_path: str = "s@a.example", *, is_suspect: bool = False
) -> Envelope:
    asked = None if notify is None else DsnRequest(recipients={ANNA: RecipientRequest(notify)})
    return Envelope(reverse_path, (ANNA, BERT), dsn=asked, is_suspect=is_suspect)


@pytest.mark.parametrize(
    ("notify", "told"),
    [
        (None, {ReportAction.FAILED}),
        (Notify.NEVER, set()),
        (Notify.SUCCESS, {ReportAction.RELAYED}),
        (Notify.FAILURE, {ReportAction.FAILED}),
        (Notify.DELAY, {ReportAction.DELAYED}),
        (Notify.SUCCESS | Notify.FAILURE | Notify.DELAY, set(ReportAction)),
    ],
)
def test_the_sender_hears_what_was_asked_for(
    notify: Notify | None, told: set[ReportAction]
) -> None:
    found = {
        action
        for action in ReportAction
        if ANNA in recipients_to_tell_of(action, envelope(notify), (ANNA, BERT))
    }
    assert found == told


@pytest.mark.parametrize("action", ReportAction)
def test_of_a_recipient_of_whom_nothing_was_said_only_failure_is_told(action: ReportAction) -> None:
    told = recipients_to_tell_of(action, envelope(Notify.NEVER), (ANNA, BERT))
    assert told == ((BERT,) if action is ReportAction.FAILED else ())


@pytest.mark.parametrize("action", ReportAction)
@pytest.mark.parametrize("reverse_path", ["", "s@[192.0.2.1]"])
def test_a_report_is_never_answered_and_none_goes_where_no_name_leads(
    action: ReportAction, reverse_path: str
) -> None:
    everything = envelope(Notify.SUCCESS | Notify.FAILURE | Notify.DELAY, reverse_path)
    assert recipients_to_tell_of(action, everything, (ANNA,)) == ()


@pytest.mark.parametrize("action", ReportAction)
def test_nothing_is_told_of_mail_taken_under_suspicion(action: ReportAction) -> None:
    everything = envelope(Notify.SUCCESS | Notify.FAILURE | Notify.DELAY, is_suspect=True)
    assert recipients_to_tell_of(action, everything, (ANNA,)) == ()


def test_word_of_delay_is_wanted_where_it_was_asked_for() -> None:
    assert wants_word_of_delay(envelope(Notify.DELAY))
    assert not wants_word_of_delay(envelope())
    assert not wants_word_of_delay(envelope(Notify.FAILURE))
    assert not wants_word_of_delay(envelope(Notify.DELAY, reverse_path=""))
