"""An envelope for some of its recipients."""

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope

NEVER = RecipientRequest(Notify.NEVER)
WHOLE = Envelope("a@a.example", ("b", "c", "d"), is_8bit=True, needs_smtputf8=True, is_suspect=True)


def test_a_part_keeps_all_that_is_not_about_other_recipients() -> None:
    assert WHOLE.part(["d", "b"]) == Envelope(
        "a@a.example", ("d", "b"), is_8bit=True, needs_smtputf8=True, is_suspect=True
    )


def test_a_part_has_no_requests_of_other_recipients() -> None:
    asked = Envelope("a@a.example", ("b", "c"), dsn=DsnRequest(recipients={"c": NEVER}))
    assert asked.part(["b"]).dsn is None
    assert asked.part(["c"]).dsn == asked.dsn


def test_a_part_keeps_a_request_about_the_message() -> None:
    asked = Envelope("a@a.example", ("b", "c"), dsn=DsnRequest(Ret.HDRS, "id", {"c": NEVER}))
    assert asked.part(["b"]).dsn == DsnRequest(Ret.HDRS, "id")
