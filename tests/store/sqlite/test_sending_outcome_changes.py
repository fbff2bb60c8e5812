"""Outcomes of attempts to send: removed, or deferred with the reply."""

from restante.queue.sending_outcome import SendingOutcome
from restante.store.sqlite import (
    report_changes,
    report_queries,
    report_reading,
    sending_outcome_changes,
)
from tests.contract.making import report
from tests.store.sqlite.tables import Tables


def test_sent_notices_go_and_deferred_ones_keep_their_place_and_answer() -> None:
    tables = Tables()
    tables.change(report_changes.store_reports, [report(number, 1) for number in (1, 2, 3)])
    tables.change(
        sending_outcome_changes.settle_sending,
        [
            SendingOutcome(1, None),
            SendingOutcome(2, 900.0, "450 4.2.1 \udcff later"),
            SendingOutcome(99, None),
            SendingOutcome(98, 1.0, "nobody"),
        ],
        remove=report_queries.REMOVE_REPORT,
        put_off=report_queries.PUT_REPORT_OFF,
    )
    waiting = report_reading.due_reports(tables.connection, 1e9, 10, 1 << 20)
    assert sorted((one.number, one.failures, one.reply) for one in waiting) == [
        (2, 1, "450 4.2.1 ? later"),  # a stranger's octets stop no settling
        (3, 0, ""),
    ]
    assert tables.rows("SELECT next_attempt_at FROM report WHERE number = 2") == [(900.0,)]
