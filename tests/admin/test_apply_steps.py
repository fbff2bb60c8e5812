"""Steps come in groups, and a record that changed since the plan is left alone."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.apply_steps import ApplyPlan, ApplyVerb, check_same, groups_of, verb_of


def test_groups_have_so_many_items_but_for_the_last() -> None:
    assert list(groups_of(2, "abcde")) == [("a", "b"), ("c", "d"), ("e",)]
    assert list(groups_of(2, "")) == []


def test_a_record_must_be_as_it_was_planned() -> None:
    check_same("account a", None, None)
    check_same("account a", ("x", 1), ("x", 1))
    for planned, present in ((None, "x"), ("x", None), ("x", "y")):
        with pytest.raises(AdminError, match="account a: was changed by somebody") as caught:
            check_same("account a", planned, present)
        assert caught.value.kind is ErrorKind.CONFLICT


def test_records_that_need_no_step_are_counted() -> None:
    plan = ApplyPlan()
    plan.take(None)
    plan.take(None)
    assert (plan.steps, plan.unchanged) == ([], 2)
    assert (verb_of(None), verb_of("x")) == (ApplyVerb.ADD, ApplyVerb.CHANGE)
