"""An account causes one connection a minute to each target, and a few to all together."""

from restante.request_limits.dial_limits import (
    OF_ACCOUNT,
    TO_TARGET,
    DialLimits,
    DialPurpose,
)

HOST = "mail.alpha.example"


def seconds(
    limits: DialLimits,
    account: str,
    target: str,
    now: float,
    purpose: DialPurpose = DialPurpose.TEST,
) -> float:
    wait = limits.allow(account, purpose, target, now)
    return 0.0 if wait is None else wait.seconds


def test_the_second_check_waits_for_the_rest_of_the_minute() -> None:
    limits = DialLimits()
    assert seconds(limits, "alpha", HOST, 100.0) == 0
    assert seconds(limits, "alpha", HOST, 130.0) == 30.0
    assert seconds(limits, "alpha", HOST, 160.0) == 0
    assert seconds(limits, "alpha", HOST, 161.0) == 59.0


def test_accounts_and_targets_are_counted_apart() -> None:
    limits = DialLimits()
    for account, target in (("alpha", HOST), ("beta", HOST), ("alpha", "other.example")):
        assert seconds(limits, account, target, 100.0) == 0


def test_all_targets_of_an_account_count_together() -> None:
    limits = DialLimits()
    waits = [seconds(limits, "alpha", f"host{i}.example", 100.0) for i in range(60)]
    assert waits.count(0) == OF_ACCOUNT
    assert seconds(limits, "beta", "host59.example", 100.0) == 0


def test_all_accounts_count_together_for_a_target() -> None:
    limits = DialLimits()
    waits = [seconds(limits, f"account{i}", HOST, 100.0) for i in range(60)]
    assert waits.count(0) == TO_TARGET


def test_a_refused_check_uses_up_nothing() -> None:
    limits = DialLimits()
    for _ in range(60):
        seconds(limits, "alpha", HOST, 100.0)
    assert seconds(limits, "alpha", "other.example", 100.0) == 0


def test_another_purpose_need_not_wait_and_counts_for_the_account() -> None:
    limits = DialLimits()
    purposes = [one for one in DialPurpose if one is not DialPurpose.LOOK]
    assert [seconds(limits, "alpha", HOST, 100.0, one) for one in purposes] == [0] * len(purposes)
    again = [seconds(limits, "alpha", HOST, 100.0, one) for one in purposes]
    assert again == [60.0] * len(purposes)
    left = OF_ACCOUNT - len(purposes)
    waits = [seconds(limits, "alpha", f"host{i}.example", 100.0) for i in range(60)]
    assert waits.count(0) == left


def test_a_look_counts_for_its_target_and_not_for_the_account() -> None:
    limits = DialLimits()
    waits = [
        seconds(limits, "alpha", f"host{i}.example", 100.0, DialPurpose.LOOK) for i in range(60)
    ]
    assert waits.count(0) == 60
    assert seconds(limits, "alpha", "host0.example", 100.0, DialPurpose.LOOK) == 60
    assert seconds(limits, "alpha", "host0.example", 100.0) == 0


def test_servers_divide_the_limits() -> None:
    limits = DialLimits(lambda: 3)
    waits = [seconds(limits, "alpha", f"host{i}.example", 100.0) for i in range(60)]
    assert waits.count(0) == OF_ACCOUNT // 3
    assert seconds(limits, "alpha", "host0.example", 219.0) > 0
    assert seconds(limits, "alpha", "host0.example", 281.0) == 0
