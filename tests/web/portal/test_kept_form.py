"""A form that waits keeps what was typed, but no secret and no token."""

from urllib.parse import parse_qsl

import pytest

from restante.web.portal.kept_form import LONGEST_KEPT, KeptForm, brought_along, kept_form
from restante.web.portal.portal_visit import FormValues

QUESTION = "/repeat?to=/domains/a.example/hosts"


def test_what_was_typed_waits_and_secrets_are_typed_again() -> None:
    form = FormValues("csrf=x&hosts=192.0.2.1%0D%0Ab&reason=a+%26+b&password=secret&code=123456")
    one = kept_form(form, "/domains/a.example", QUESTION)
    assert (one.following, one.question) == ("/domains/a.example", QUESTION)
    assert parse_qsl(one.kept, keep_blank_values=True) == [
        ("hosts", "192.0.2.1\r\nb"),
        ("reason", "a & b"),
        ("password", ""),
        ("code", ""),
    ]


def test_a_page_of_a_factor_brings_it_along() -> None:
    form = FormValues("next=/queue&question=/queue/confirm&kept=a%3Db&code=123456")
    assert brought_along(form) == KeptForm("/queue", "/queue/confirm", "a=b")


@pytest.mark.parametrize(
    ("following", "question", "kept"),
    [
        ("/queue", "/queue/carry-out", "a=b"),
        ("/queue", "//evil.example/queue/confirm", "a=b"),
        ("/queue", "", "a=b"),
        ("/queue", "/queue/confirm", "a" * (LONGEST_KEPT + 1)),
    ],
    ids=["action", "host", "none", "large"],
)
def test_without_a_question_or_with_too_much_the_page_opens(
    following: str, question: str, kept: str
) -> None:
    assert kept_form(FormValues(f"x={kept}"), following, question) == KeptForm(following)
    form = FormValues(f"next={following}&question={question}&kept={kept.replace('=', '%3D')}")
    assert brought_along(form) == KeptForm(following)
