"""An account causes one connection a minute to each target."""

from restante.request_limits.dial_limits import DialLimits

KEY = ("alpha", "mail.alpha.example:25")


def test_the_second_check_waits_for_the_rest_of_the_minute() -> None:
    allowance = DialLimits()
    assert allowance.seconds_left(KEY, 100.0) == 0
    assert allowance.seconds_left(KEY, 130.0) == 30.0
    assert allowance.seconds_left(KEY, 160.0) == 0
    assert allowance.seconds_left(KEY, 161.0) == 59.0


def test_accounts_and_targets_are_counted_apart() -> None:
    allowance = DialLimits()
    for key in (KEY, ("beta", KEY[1]), ("alpha", "other:25")):
        assert allowance.seconds_left(key, 100.0) == 0
