"""The settings of a provider of OpenID Connect, at which users of the portal can sign in."""

from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from restante.network.setting_error import setting_error
from restante.network.setting_paths import BesidePath
from restante.tenancy.grants import GrantedRole, Scope
from restante.tenancy.portal_user import EXTRA_SCOPES
from restante.tenancy.provider_settings import ProviderSettings, RoleRule

_LONGEST_NAME: Final = 60


def _check_issuer(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_fit = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_fit = False
    is_plain = value.isascii() and value.isprintable() and not set(" ?#@") & set(value)
    if value and not (is_fit and is_plain):
        remedy = (
            'write the https URL that the provider calls its issuer, such as "https://id.example"'
        )
        raise setting_error("is not an issuer", remedy)
    return value


def _check_scope_name(value: str) -> str:
    if not value or not value.isascii() or not value.isprintable() or set(' "\\') & set(value):
        raise setting_error("is not a scope", 'write one such as "groups"')
    return value


def _check_extra_scope(value: Scope) -> Scope:
    if value not in EXTRA_SCOPES:
        remedy = f"a role has the other rights; write {' or '.join(EXTRA_SCOPES)}, or none"
        raise setting_error("is not for users", remedy)
    return value


class OidcRole(BaseModel):
    """One `[[oidc.roles]]`: the rights of a group's members."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: Annotated[str, Field(min_length=1)] = Field(
        description="The group, as the claim `groups_claim` names it. The first group in the file"
        " that a person is in decides.",
        examples=["mail-admins"],
    )
    role: GrantedRole = Field(description="The role of its members.", examples=["operator-reader"])
    account: str = Field(
        default="",
        description="The account of its members. Empty: they are operators.",
        examples=["acme"],
    )
    scopes: tuple[Annotated[Scope, AfterValidator(_check_extra_scope)], ...] = Field(
        default=(), description="`content:read` or `domain:direct`, in addition to the role."
    )

    @model_validator(mode="after")
    def _role_suits_the_account(self) -> Self:
        if self.account and self.role.is_of_operators:
            remedy = "write another role, or remove `account`"
            raise setting_error(f"{self.role} is not a role of an account", remedy)
        if not self.account and not self.role.is_of_operators:
            remedy = "write another role, or add `account`"
            raise setting_error(f"{self.role} is not a role of operators", remedy)
        return self

    @property
    def rule(self) -> RoleRule:
        """The same, for decisions."""
        return RoleRule(self.group, self.role, self.account, self.scopes)


class OidcSettings(BaseModel):
    """`[oidc]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Annotated[str, AfterValidator(_check_issuer)] = Field(
        default="",
        description="URL of a provider of OpenID Connect, exactly as it calls itself. Its users can"
        " sign in to the portal. Empty: no provider.",
        examples=["https://login.example.net/realms/main"],
    )
    client_id: str = Field(
        default="",
        description="The name of this server at the provider. Its redirect URI is the portal's"
        " address and `/sign-in/provider/back`.",
        examples=["restante"],
    )
    client_secret_file: BesidePath = Field(
        default="",
        description="File with the secret that the provider gave, read at each sign-in. A relative"
        " path begins at the directory of the configuration file. Empty: a public client.",
        examples=["oidc.secret"],
    )
    name: Annotated[str, Field(max_length=_LONGEST_NAME)] = Field(
        default="single sign-on",
        description="Name of the provider, on the button of the sign-in.",
        examples=["Example login"],
    )
    scopes: tuple[Annotated[str, AfterValidator(_check_scope_name)], ...] = Field(
        default=("openid", "email"),
        description="Scopes to ask for. The ID token must have an email address, which names the"
        " user in lists. Many providers send groups only for a scope of their own.",
        examples=["openid"],
    )
    groups_claim: Annotated[str, Field(min_length=1)] = Field(
        default="groups", description="Claim of the ID token with the groups of a person."
    )
    ca_file: BesidePath = Field(
        default="",
        description="PEM file with the authorities that may sign the provider's certificate. Empty:"
        " those of the system.",
        examples=["provider-ca.pem"],
    )
    timeout: Annotated[float, Field(gt=0, le=20)] = Field(
        default=8.0, description="Seconds for each request to the provider."
    )
    roles: tuple[OidcRole, ...] = Field(
        default=(), description="The rights of groups. A person without one cannot sign in."
    )

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.issuer and not self.client_id:
            remedy = "set `client_id` to the name of this server at the provider"
            raise setting_error("issuer is set without client_id", remedy)
        if self.issuer and not self.roles:
            remedy = "add [[oidc.roles]] with a group and a role: nobody could sign in without one"
            raise setting_error("issuer is set without roles", remedy)
        return self

    @property
    def provider_settings(self) -> ProviderSettings | None:
        """The same, for sign-ins; None without a provider."""
        if not self.issuer:
            return None
        return ProviderSettings(
            issuer=self.issuer,
            client_id=self.client_id,
            secret_file=self.client_secret_file,
            name=self.name,
            scopes=self.scopes,
            groups_claim=self.groups_claim,
            rules=tuple(one.rule for one in self.roles),
            ca_file=self.ca_file,
            timeout=self.timeout,
        )
