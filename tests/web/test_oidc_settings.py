"""The settings of a provider, checked with the configuration."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.provider_settings import RoleRule
from restante.web.oidc_settings import OidcSettings

ROLE = {"group": "mail-admins", "role": "operator"}
GOOD = {"issuer": "https://id.example/realms/main", "client_id": "restante", "roles": [ROLE]}


def test_without_an_issuer_there_is_no_provider() -> None:
    assert OidcSettings().provider_settings is None


def test_files_are_beside_the_configuration(tmp_path: Path) -> None:
    given = {**GOOD, "client_secret_file": "oidc.secret", "ca_file": "/etc/ca.pem"}
    settings = OidcSettings.model_validate(given, context={"directory": tmp_path})
    provider_settings = settings.provider_settings
    assert provider_settings is not None
    assert provider_settings.secret_file == str(tmp_path / "oidc.secret")
    assert provider_settings.ca_file == "/etc/ca.pem"
    assert provider_settings.scopes == ("openid", "email")


def test_a_group_of_an_account_has_a_role_there() -> None:
    role = {"group": "acme", "role": "account-admin", "account": "acme", "scopes": ["content:read"]}
    provider_settings = OidcSettings.model_validate(
        {**GOOD, "roles": [ROLE, role]}
    ).provider_settings
    assert provider_settings is not None
    assert provider_settings.rules == (
        RoleRule("mail-admins", GrantedRole.OPERATOR),
        RoleRule("acme", GrantedRole.ACCOUNT_ADMIN, "acme", (Scope.CONTENT_READ,)),
    )


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"issuer": "http://id.example"}, "is not an issuer"),
        ({"issuer": "https://"}, "is not an issuer"),
        ({"issuer": "https://id.example?x"}, "is not an issuer"),
        ({"issuer": "https://user@id.example"}, "is not an issuer"),
        ({"issuer": "https://id.example:port"}, "is not an issuer"),
        ({"client_id": ""}, "issuer is set without client_id"),
        ({"roles": []}, "issuer is set without roles"),
        ({"scopes": ["a b"]}, "is not a scope"),
        ({"timeout": 0}, "greater than 0"),
        ({"roles": [{**ROLE, "account": "acme"}]}, "is not a role of an account"),
        ({"roles": [{**ROLE, "role": "account-admin"}]}, "is not a role of operators"),
        ({"roles": [{**ROLE, "scopes": ["queue:read"]}]}, "is not for users"),
        ({"roles": [{**ROLE, "role": "emperor"}]}, "Input should be"),
    ],
    ids=range(13),
)
def test_settings_that_cannot_work_are_refused(given: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        OidcSettings.model_validate({**GOOD, **given})
