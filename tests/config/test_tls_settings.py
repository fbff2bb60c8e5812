"""The settings of TLS."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from restante.config.tls_settings import TlsSettings


@pytest.mark.parametrize(
    ("keys", "cause"),
    [
        (["k.pem"], "names 1 file for 2 certificates"),
        (["a", "b", "c"], "names 3 files for 2 certificates"),
    ],
)
def test_each_certificate_has_a_key(keys: list[str], cause: str) -> None:
    with pytest.raises(ValidationError, match=cause):
        TlsSettings.model_validate({"certificate": ["c.pem", "d.pem"], "key": keys})


def test_the_certificates_of_other_names_follow_the_first() -> None:
    other = {"certificate": "/t/o.pem", "key": "/t/ok.pem"}
    settings = TlsSettings.model_validate(
        {
            "certificate": ["/t/c.pem", "/t/d.pem"],
            "key": ["/t/ck.pem", "/t/dk.pem"],
            "names": [other],
        }
    )
    assert settings.groups == (settings, settings.names[0])
    assert settings.all_pairs == (
        (Path("/t/c.pem"), Path("/t/ck.pem")),
        (Path("/t/d.pem"), Path("/t/dk.pem")),
        (Path("/t/o.pem"), Path("/t/ok.pem")),
    )
