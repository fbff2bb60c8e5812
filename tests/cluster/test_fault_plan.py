"""A seed gives the same faults each time, and each dozen has every kind once."""

from tests.cluster.fault_plan import SERVERS, Fault, FaultKind, plan_faults


def test_a_seed_repeats_kinds_targets_and_times() -> None:
    assert plan_faults(7, 30) == plan_faults(7, 30)
    assert plan_faults(7, 30) != plan_faults(8, 30)


def test_a_longer_plan_begins_like_a_shorter_one() -> None:
    assert plan_faults(7, 30)[:5] == plan_faults(7, 5)


def test_each_dozen_has_every_kind_once() -> None:
    planned = plan_faults(1, 2 * len(FaultKind))
    for dozen in (planned[: len(FaultKind)], planned[len(FaultKind) :]):
        assert {fault.kind for fault in dozen} == set(FaultKind)


def test_targets_are_there() -> None:
    for fault in plan_faults(3, 120):
        is_standby = fault.kind in (FaultKind.STANDBY_KILL, FaultKind.STANDBY_STOP)
        assert fault.target in range(2 if is_standby else SERVERS)


def test_a_fault_says_all_that_is_needed_to_repeat_it() -> None:
    assert str(Fault(FaultKind.STOP, 2, 1.5, 8.0)) == "+1.5 s: stop server 2, for 8.0 s"
    assert str(Fault(FaultKind.STANDBY_KILL, 1, 2.0, 1.0)) == (
        "+2.0 s: standby-kill standby 1, for 1.0 s"
    )
    assert str(Fault(FaultKind.CRASH, 0, 2.0, 0.0)) == "+2.0 s: crash"
