"""How long a client may take."""

from restante.reception.patience import Patience


def test_a_byte_now_and_then_wins_no_time_worth_having() -> None:
    patience = Patience(0.0)
    for second in range(1, 200):
        patience.top_up(1, minimum_rate=500, now=second)
    assert patience.is_over(180, 200.0)


def test_content_at_the_least_rate_may_take_as_long_as_it_needs() -> None:
    patience = Patience(0.0)
    for second in range(1, 10_000):
        patience.top_up(500, minimum_rate=500, now=second)
        assert not patience.is_over(180, second)


def test_time_cannot_be_saved_up() -> None:
    patience = Patience(0.0)
    patience.top_up(10_000_000, minimum_rate=500, now=1.0)
    assert patience.is_over(180, 182.0)


def test_a_whole_command_begins_anew() -> None:
    patience = Patience(0.0)
    patience.restart(100.0)
    assert not patience.is_over(300, 400.0)
    assert patience.is_over(300, 400.5)
