"""A path to go on to never leads to another host."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.web.portal.own_path import own_path, question_path, sign_in_path, step_up_path


@pytest.mark.parametrize(
    "path", ["/", "/queue?domain=a.example&status=refused", "/domains/a%2Fb", "/x//y?z=//"]
)
def test_a_path_of_the_portal_is_kept(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "queue",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: a=b",
        "/ü",
        " /queue",
        "/a b",
        "/a\\b",
        "/" + "a" * 2000,
        "/sign-in",
        "/sign-in?next=/sign-in",
        "/sign-out",
        "/step-up?next=/",
    ],
    ids=range(20),
)
def test_another_text_leads_to_the_overview(text: str) -> None:
    assert own_path(text) == "/"


def test_a_kept_form_goes_to_a_question_alone() -> None:
    for path in ("/queue/confirm", "/queue/confirm?again=1", "/messages/a1/ask?again=1"):
        assert question_path(path) == path
    for path in ("/queue/carry-out", "/messages/a/raw", "/queue/confirm?x", "//e/queue/confirm"):
        assert question_path(path) == ""


@given(st.text())
def test_no_text_leads_elsewhere(text: str) -> None:
    path = own_path(text)
    assert path.startswith("/")
    assert path[1:2] not in ("/", "\\")
    assert path.isascii()
    assert path.isprintable()


def test_the_way_to_a_page_is_kept_over_the_sign_in() -> None:
    assert sign_in_path("/queue?a=1&b=2") == "/sign-in?next=%2Fqueue%3Fa%3D1%26b%3D2"
    assert sign_in_path("/") == sign_in_path("//evil") == "/sign-in"
    assert step_up_path("/profile") == "/step-up?next=%2Fprofile"
