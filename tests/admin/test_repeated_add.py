"""A record that is added again."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.repeated_add import refuse_difference
from restante.tenancy.record_change import Change


def test_the_same_values_are_no_error() -> None:
    refuse_difference("account a", (), "remedy")


def test_other_values_are_named_and_no_secret_is() -> None:
    differing = (Change("note", "old", "new"), Change("password", "set", "replaced"))
    with pytest.raises(AdminError) as caught:
        refuse_difference("login a", differing, "do otherwise")
    assert caught.value.kind is ErrorKind.EXISTS
    assert caught.value.error == (
        "login a: is there already; note is old, not new; password differs"
    )
    assert caught.value.remedy == "do otherwise"


@pytest.mark.parametrize(("count", "ending"), [(5, "f4 is a, not b"), (7, "and 2 more")])
def test_many_fields_are_counted(count: int, ending: str) -> None:
    differing = [Change(f"f{number}", "a", "b") for number in range(count)]
    with pytest.raises(AdminError) as caught:
        refuse_difference("domain d", differing, "")
    assert caught.value.error.endswith(ending)
