import pytest

from restante.store.record_store import ABSENT, is_as_before
from tests.contract.making import account


@pytest.mark.parametrize(
    ("present", "before", "is_as_it_was"),
    [
        (account("alpha"), None, True),  # nothing to compare with
        (None, None, True),
        (account("alpha"), account("alpha"), True),
        (account("alpha"), account("beta"), False),
        (None, account("alpha"), False),
        (None, ABSENT, True),
        (account("alpha"), ABSENT, False),
    ],
)
def test_a_record_is_compared_with_the_one_before(
    present: object, before: object, *, is_as_it_was: bool
) -> None:
    assert is_as_before(present, before) is is_as_it_was
