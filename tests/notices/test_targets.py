"""The allowed targets of notices, and the part of them that is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.notices.targets import NotAChannelTarget, read_mail_address, read_webhook


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://hook.example/in/SECRET", "https://hook.example/…"),
        ("https://hook.example?token=SECRET", "https://hook.example/…"),
        ("https://hook.example:8443/", "https://hook.example:8443/"),
        ("https://[2001:db8::1]:8443/SECRET#SECRET", "https://[2001:db8::1]:8443/…"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("http://[::1]/SECRET", "http://[::1]/…"),
        ("http://localhost/", "http://localhost/"),
    ],
)
def test_of_a_url_host_and_port_are_shown(text: str, shown: str) -> None:
    url, may_be_shown = read_webhook(text, is_plain_allowed=False)
    assert may_be_shown == shown
    assert "#" not in url
    assert (
        url.partition("#")[0] == text.partition("#")[0].replace("example?", "example/?")
        or url == text
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SECRET",
        "ftp://hook.example/SECRET",
        "file:///etc/SECRET",
        "javascript:SECRET",
        "https:///SECRET",
        "https://hook.example/SEC\r\nRET",
        "https://hook.example/SECR\x00ET",
        "https://hook.example:99999/SECRET",
        "https://hook.example/" + "SECRET" * 1000,
        "http://hook.example/SECRET",
        "http://127.0.0.1.hook.example/SECRET",
        "http://localhost.hook.example/SECRET",
        "http://0x7f.1.hook.example/SECRET",
    ],
)
def test_a_wrong_webhook_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NotAChannelTarget) as refused:
        read_webhook(text, is_plain_allowed=False)
    assert "SECRET" not in str(refused.value) + refused.value.remedy


def test_plain_http_is_for_who_says_so() -> None:
    assert (
        read_webhook("http://hook.example/x", is_plain_allowed=True)[1] == "http://hook.example/…"
    )


@given(st.text())
def test_whatever_is_given_is_a_url_or_refused(text: str) -> None:
    for scheme in ("", "http://", "https://"):
        try:
            url, shown = read_webhook(scheme + text, is_plain_allowed=True)
        except NotAChannelTarget:
            continue
        assert url.isascii()
        assert url.isprintable()
        assert shown.isprintable()


def test_an_address_has_its_domain_in_the_canonical_form() -> None:
    assert read_mail_address(" Ops@EXAMPLE.org ") == "Ops@example.org"
    assert read_mail_address("büro@bücher.example") == "büro@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ops",
        "ops@",
        "@example.org",
        "ops@localhost",
        "ops@[192.0.2.1]",
        "a b@example.org",
        '"ops"@example.org',
        "ops@example.org>\r\nBcc: all@example.org",
        "ops\r\n@example.org",
        "ops,all@example.org",
        "<ops@example.org>",
        "x" * 65 + "@example.org",
    ],
)
def test_a_text_that_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(NotAChannelTarget):
        read_mail_address(text)


@pytest.mark.parametrize(
    "url", ["https://user:SECRET@hook.example/", "https://SECRET@hook.example/in"]
)
def test_a_user_name_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(NotAChannelTarget, match="user name or password") as caught:
        read_webhook(url, is_plain_allowed=False)
    assert "SECRET" not in f"{caught.value} {caught.value.remedy}"
