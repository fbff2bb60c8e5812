"""The settings for rspamd."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from restante.checks.rspamd_settings import FilterPlace, RspamdSettings, filter_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://127.0.0.1:11333", FilterPlace("http://127.0.0.1:11333", "")),
        ("http://[::1]:11333/", FilterPlace("http://[::1]:11333", "")),
        ("https://rspamd.example", FilterPlace("https://rspamd.example", "")),
        (
            "unix:/run/rspamd/normal.sock",
            FilterPlace("http://localhost", "/run/rspamd/normal.sock"),
        ),
    ],
)
def test_a_filter_is_at_a_url_or_a_socket(text: str, place: FilterPlace) -> None:
    assert RspamdSettings(url=text).url == text
    assert filter_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:11333",
        "ftp://a.example",
        "http://",
        "http://a.example:0",
        "http://a.example:x",
        "http://u:p@a.example",
        "http://a.example?x",
        "unix:run/x",
        "unix:",
    ],
)
def test_other_places_are_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValidationError) as failure:
        RspamdSettings(url=text)
    [error] = failure.value.errors()
    assert "http://127.0.0.1:11333" in error["ctx"]["remedy"]


def test_files_are_beside_the_configuration() -> None:
    settings = RspamdSettings.model_validate(
        {"password_file": "a", "ca_file": "/b"}, context={"directory": Path("/etc/restante")}
    )
    assert (settings.password_file, settings.ca_file) == ("/etc/restante/a", "/b")


def test_nothing_is_examined_by_default() -> None:
    assert RspamdSettings().url == ""
