"""The results of release requests, in words."""

import pytest

from restante.tenancy.release_result import ReleaseResult, result_text


@pytest.mark.parametrize(
    ("result", "pending", "is_done", "text"),
    [
        (ReleaseResult.GRANTED, 1, True, "1 message released"),
        (ReleaseResult.GRANTED, 2500, True, "2,500 messages released"),
        (ReleaseResult.NOTHING_HELD, 0, True, "no messages waiting"),
        (ReleaseResult.REFUSED, 0, False, "not allowed"),
        (ReleaseResult.CANNOT_NOW, 3, False, "not possible now"),
        (ReleaseResult.NOT_A_TARGET, 0, False, "not a domain, @DOMAIN or #ACCOUNT"),
    ],
)
def test_a_result_in_words(
    result: ReleaseResult, pending: int, text: str, *, is_done: bool
) -> None:
    assert (result.is_done, result_text(result, pending)) == (is_done, text)


def test_every_result_has_words_without_a_code_of_smtp() -> None:
    for result in ReleaseResult:
        text = result_text(result, 2)
        assert text
        assert not any(code in text for code in ("25", "45", "50"))
