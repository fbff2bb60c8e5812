"""The options of a domain become fields of the API, and one that was not given becomes none."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import typer

from restante.cli.domain_options import (
    AllowOrDeny,
    given_domain_fields,
    reason_and_policy,
    without_none,
)

NOTHING: dict[str, Any] = dict.fromkeys(
    (
        *("allow", "tls", "tls_ca", "tls_pin", "destination_login", "connections", "per_minute"),
        *("client_address", "pin_now", "destination_password_stdin"),
    )
)


def test_options_that_were_not_given_are_no_fields() -> None:
    assert given_domain_fields(NOTHING) == {}
    assert without_none(a=None, b=0) == {"b": 0}


def test_a_change_of_the_private_destination_is_a_field_either_way() -> None:
    for word in AllowOrDeny:
        fields = given_domain_fields(NOTHING | {"private_destination": word})
        assert fields == {"private_destination": word is AllowOrDeny.ALLOW}


def test_the_password_for_the_destination_comes_from_standard_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("secret\n"))
    fields = given_domain_fields(NOTHING | {"destination_password_stdin": True, "pin_now": True})
    assert fields == {"destination_password": "secret", "pin_now": True}


def test_one_empty_text_is_an_empty_list() -> None:
    fields = given_domain_fields(NOTHING | {"allow": [""], "tls_pin": ["ab", "cd"]})
    assert fields == {"allow": [], "tls_pins": ["ab", "cd"]}


def test_authorities_are_a_file_of_the_server_or_the_text_of_one_here(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("-----BEGIN CERTIFICATE-----")
    of_server = given_domain_fields(NOTHING | {"tls_ca": "ca.pem"})
    assert of_server == {"tls_ca": str(Path("ca.pem").absolute())}
    assert given_domain_fields(NOTHING | {"tls_ca": f"@{file}"}) == {"tls_ca": file.read_text()}
    assert given_domain_fields(NOTHING | {"tls_ca": ""}) == {"tls_ca": ""}
    with pytest.raises(typer.BadParameter, match="cannot be read"):
        given_domain_fields(NOTHING | {"tls_ca": f"@{tmp_path / 'none.pem'}"})


@pytest.mark.parametrize(
    ("policy", "reason", "fields"),
    [
        ({}, None, {}),
        ({"reason": "moved", "hold": "relay"}, "moved", {"hold": "relay"}),
        (
            {"reason": "unpaid", "hold": "suspended"},
            "unpaid",
            {"reason": "unpaid", "hold": "suspended"},
        ),
        ({"reason": "later", "until": "x"}, "later", {"reason": "later", "until": "x"}),
    ],
)
def test_only_a_suspension_keeps_the_reason(
    policy: dict[str, Any], reason: str | None, fields: dict[str, Any]
) -> None:
    assert reason_and_policy(policy) == (reason, fields)
