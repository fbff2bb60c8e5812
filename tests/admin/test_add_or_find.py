"""An addition that came a moment too late finds the record of the faster one."""

import pytest

from restante.admin.add_or_find import AddedMeanwhile, add_or_find
from restante.admin.admin_error import AdminError, ErrorKind
from tests.admin.admin_world import AdminWorld, run

TAKEN = AdminError(ErrorKind.EXISTS, "account alpha: is there already", "choose another name")


def attempts(*results: str | Exception) -> str:
    left = list(results)

    async def attempt() -> str:
        result = left.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    return run(add_or_find(AdminWorld().context, attempt))


def test_a_first_attempt_is_the_only_one() -> None:
    assert attempts("added", "added again") == "added"


def test_a_second_attempt_finds_the_record() -> None:
    assert attempts(AddedMeanwhile(TAKEN), "found") == "found"


@pytest.mark.parametrize(
    "results", [(TAKEN,), (AddedMeanwhile(TAKEN), TAKEN), (AddedMeanwhile(TAKEN),) * 2]
)
def test_there_is_no_third_one(results: tuple[Exception, ...]) -> None:
    with pytest.raises(AdminError) as refused:
        attempts(*results, "too late")
    assert (refused.value.kind, refused.value.error) == (ErrorKind.EXISTS, TAKEN.error)
