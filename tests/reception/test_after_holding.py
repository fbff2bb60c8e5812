"""Events that follow new mail or a full quota."""

from restante.reception.after_holding import QUIET_SECONDS
from restante.telemetry.events import MailAfterQuiet, QuotaReached
from restante.tenancy.quota import Quota
from tests.reception.test_admission import answers, sent
from tests.wire import Wire, audit


def test_a_quota_is_told_at_80_and_100_percent_once(smtp: Wire) -> None:
    smtp.hosts("a.example", quota=Quota(messages=5))
    for _ in range(4):
        sent(smtp, 100, "x@a.example")
    assert [line["percent"] for line in smtp.log.of(QuotaReached)] == [80]
    sent(smtp, 100, "x@a.example")
    answers(smtp, "x@a.example")
    assert [line["percent"] for line in smtp.log.of(QuotaReached)] == [80, 100]
    told = smtp.log.of(QuotaReached)[1]
    assert (told["domain"], told["account"], told["messages"]) == ("a.example", "alpha", 5)


def test_a_quota_that_has_been_emptied_is_told_again(smtp: Wire) -> None:
    smtp.hosts("a.example", quota=Quota(messages=2))
    for _ in range(2):
        sent(smtp, 100, "x@a.example")
    smtp.run(
        smtp.store.queue.delete([message.number for message in smtp.held("a.example")], audit())
    )
    for _ in range(2):
        sent(smtp, 100, "x@a.example")
    assert [line["percent"] for line in smtp.log.of(QuotaReached)] == [100, 100]


def test_a_message_that_finds_no_room_makes_a_quota_full(smtp: Wire) -> None:
    smtp.hosts("a.example", quota=Quota(octets=1000))
    sent(smtp, 700, "x@a.example")  # with its Received field more than 80 %
    answers(smtp, "x@a.example", 900)
    assert [line["percent"] for line in smtp.log.of(QuotaReached)] == [80, 100]


def test_an_accounts_quota_is_told_as_such(smtp: Wire) -> None:
    smtp.hosts("a.example")
    smtp.set_quota("alpha", Quota(messages=1))
    sent(smtp, 100, "x@a.example")
    told = smtp.log.of(QuotaReached)
    assert [(line["account"], line["percent"]) for line in told] == [("alpha", 100)]
    assert "domain" not in told[0]


def test_the_first_mail_after_an_hour_without_is_told(smtp: Wire) -> None:
    smtp.hosts("a.example")
    for pause in (0.0, 0.0, QUIET_SECONDS, QUIET_SECONDS + 1):
        smtp.now += pause
        sent(smtp, 100, "x@a.example")
    told = smtp.log.of(MailAfterQuiet)
    assert [(line["domain"], line["account"], line["messages"]) for line in told] == [
        ("a.example", "alpha", 1)
    ] * 2


def test_after_a_start_a_domain_that_holds_mail_is_not_quiet(smtp: Wire) -> None:
    smtp.hosts("a.example", holding=1)
    sent(smtp, 100, "x@a.example")
    assert smtp.log.of(MailAfterQuiet) == []


def test_a_quota_that_is_still_full_is_told_of_again_after_a_start() -> None:
    """The start may have come between the line of the log and the notice."""
    smtp = Wire()
    smtp.hosts("a.example", holding=8, quota=Quota(messages=10))
    smtp.restart()
    for _ in range(2):
        sent(smtp, 100, "x@a.example")
    assert [line["percent"] for line in smtp.log.of(QuotaReached)] == [80, 100]
    smtp.close()
