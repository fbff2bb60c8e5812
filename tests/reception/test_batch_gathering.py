"""A batch waits for the clients that were just answered, and for nobody else."""

import pytest

from restante.reception.batch_gathering import COMMITS, MOST, BatchGathering


def test_the_first_mail_waits_for_nobody() -> None:
    assert BatchGathering().seconds_left(at=100.0, mails=1) == 0.0


def test_a_single_client_waits_for_nobody() -> None:
    gathering = BatchGathering()
    gathering.end_batch(at=100.0, took=0.005, together=1)
    assert gathering.is_enough(1)
    assert gathering.seconds_left(at=100.001, mails=1) == 0.0


def test_the_first_of_several_clients_waits_as_long_as_some_commits_take() -> None:
    gathering = BatchGathering()
    gathering.end_batch(at=100.0, took=0.002, together=20)
    assert gathering.seconds_left(at=100.001, mails=1) == pytest.approx(0.002 * COMMITS - 0.001)
    assert gathering.seconds_left(at=100.001, mails=20) == 0.0


def test_a_mail_that_comes_later_waits_for_nobody() -> None:
    gathering = BatchGathering()
    gathering.end_batch(at=100.0, took=0.002, together=20)
    assert gathering.seconds_left(at=100.001 + 0.002 * COMMITS, mails=1) == 0.0


def test_a_store_in_this_process_lets_nobody_wait() -> None:
    gathering = BatchGathering(commits=0)
    gathering.end_batch(at=100.0, took=0.002, together=20)
    assert gathering.seconds_left(at=100.0, mails=1) == 0.0


def test_no_mail_waits_long_after_a_slow_commit() -> None:
    gathering = BatchGathering()
    gathering.end_batch(at=100.0, took=5.0, together=20)
    assert gathering.seconds_left(at=100.0, mails=1) == pytest.approx(MOST)
