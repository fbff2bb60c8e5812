"""Replies as words and exit codes."""

import pytest

from restante_client.client_failure import ClientExit
from restante_client.smtp_replies import SmtpAnswer, atrn_exit, atrn_words, etrn_exit, etrn_words


def test_every_reply_to_etrn_has_an_exit_code() -> None:
    assert [etrn_exit(code) for code in (250, 251, 252, 253)] == [ClientExit.DONE] * 4
    assert [etrn_exit(code) for code in (-1, 100, 354, 554)] == [ClientExit.UNAVAILABLE] * 4
    assert [etrn_exit(code) for code in (459, 530, 535)] == [ClientExit.NOT_ALLOWED] * 3
    assert [etrn_exit(code) for code in (421, 451, 458)] == [ClientExit.TRY_LATER] * 3
    assert [etrn_exit(code) for code in (500, 501)] == [ClientExit.DATA] * 2


def test_no_mail_is_no_failure_of_atrn() -> None:
    assert atrn_exit(453) is ClientExit.DONE
    assert etrn_exit(453) is ClientExit.TRY_LATER
    assert atrn_exit(450) is ClientExit.TRY_LATER


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
    assert etrn_words(code) == meaning


def test_atrn_has_words_of_its_own() -> None:
    assert atrn_words(453) == "no mail is held"
    assert atrn_words(421) == "not done now; ask again later"


def test_a_reply_is_shown_on_one_line() -> None:
    assert SmtpAnswer(250, ("one", "t\x1bwo")).said == "250 one t\\x1bwo"
    assert SmtpAnswer(-1, ("nonsense",)).said == "nonsense"
