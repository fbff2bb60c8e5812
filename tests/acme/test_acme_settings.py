"""The settings for certificates by ACME, and the mistakes in them."""

import pytest
from pydantic import ValidationError

from restante.acme.acme_settings import AcmeSettings

DIRECTORY = "https://acme.example/directory"


def test_without_a_directory_there_are_no_orders() -> None:
    assert AcmeSettings().names == ()


def test_names_are_canonical() -> None:
    settings = AcmeSettings(directory=DIRECTORY, names=("MX2.Example.Net", "mx.bücher.example"))
    assert settings.names == ("mx2.example.net", "mx.xn--bcher-kva.example")


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"directory": "http://acme.example/dir", "names": ["a.example"]}, "no URL of an ACME"),
        ({"directory": "acme.example", "names": ["a.example"]}, "no URL of an ACME"),
        ({"directory": "https://[x/", "names": ["a.example"]}, "no URL of an ACME"),
        ({"directory": DIRECTORY}, "directory without names"),
        ({"names": ["a.example"]}, "names without a directory"),
        ({"directory": DIRECTORY, "names": ["*.a.example"]}, "no host name"),
        ({"directory": DIRECTORY, "names": ["a.example", "A.example"]}, "a name twice"),
        ({"directory": DIRECTORY, "names": ["a.example"], "contact": "me"}, "not a mail address"),
        ({"directory": DIRECTORY, "names": ["a.example"], "renew_days": 0}, "greater than"),
    ],
)
def test_mistakes_are_told(given: dict[str, object], cause: str) -> None:
    with pytest.raises(ValidationError, match=cause):
        AcmeSettings.model_validate(given)


def test_a_directory_in_clear_text_is_for_loopback() -> None:
    assert AcmeSettings(directory="http://127.0.0.1:14000/dir", names=("a.example",)).directory
