"""Replies to ETRN as words and exit codes."""

from restante.cli.failures import Exit
from restante.cli.reply_words import exit_for


def test_every_reply_has_an_exit_code() -> None:
    assert [exit_for(code) for code in (250, 251, 252, 253)] == [Exit.DONE] * 4
    assert [exit_for(code) for code in (-1, 100, 354, 554)] == [Exit.UNAVAILABLE] * 4
