"""Errors of the portal name pages, not commands."""

import pytest

from restante.admin.admin_error import AdminError, ErrorKind
from restante.web.portal.people_words import error_for_people, in_words_for_people


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("`restante queue list` shows the names", "the page Queue shows the names"),
        ("cancel it by `restante change cancel 3`", "cancel it by the page of the domain"),
        ("remove --keep-for first", "remove keep for first"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        (
            "take it from the Link header of the page before, or leave it out for the first page",
            "begin with the first page again",
        ),
        (
            "ask an operator of this server",
            "ask an administrator of your account, or your operator",
        ),
        (
            "make another key, such as by `restante login certificate a u --generate DIRECTORY`",
            "make another key, with OpenSSL",
        ),
        ("`restante store check` tells", "the command line tells"),
    ],
)
def test_an_error_names_pages(text: str, words: str) -> None:
    assert in_words_for_people(text) == words


def test_an_error_is_told_with_its_remedy() -> None:
    error = AdminError(ErrorKind.USAGE, "--until needs a suspension", "give --hold suspended too")
    assert error_for_people(error) == "until needs a suspension; give hold suspended too"
