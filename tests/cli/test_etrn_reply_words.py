"""Replies to ETRN as words and exit codes."""

import pytest

from restante.cli.etrn_reply_words import exit_for, words
from restante.cli.failures import Exit


def test_every_reply_has_an_exit_code() -> None:
    assert [exit_for(code) for code in (250, 251, 252, 253)] == [Exit.DONE] * 4
    assert [exit_for(code) for code in (-1, 100, 354, 554)] == [Exit.UNAVAILABLE] * 4


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (-1, "no SMTP reply"),
        (99, "no SMTP reply"),
        (459, "not allowed: not a domain of this login, or this is not an authorized host"),
        (451, "not done now; ask again later"),
        (554, "refused"),
    ],
)
def test_each_code_has_words(code: int, meaning: str) -> None:
    assert words(code) == meaning
