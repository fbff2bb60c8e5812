"""The authorization code flow with PKCE, without its requests. Pure.

See OpenID Connect Core 1.0 (section 3.1), Discovery 1.0, RFC 7636 and RFC 9207. State, nonce and
verifier are random, and belong to one sign-in of one browser.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, Final, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from restante.mail.unique_json import read_json
from restante.tenancy.portal_user import LONGEST_EMAIL

DISCOVERY_PATH: Final = "/.well-known/openid-configuration"
SECRET_BASIC: Final = "client_secret_basic"  # noqa: S105  a name
SECRET_POST: Final = "client_secret_post"  # noqa: S105
LONGEST_CODE: Final = 4096  # characters
_RANDOM_OCTETS: Final = 32
_ERRORS: Final = {
    "access_denied": "the person or the provider did not agree",
    "login_required": "the provider wants the person to sign in there first",
    "consent_required": "the provider wants the person to agree there first",
    "server_error": "the provider failed",
    "temporarily_unavailable": "the provider is busy",
    "unauthorized_client": "the provider does not know this server: check `client_id`",
    "invalid_scope": "the provider does not know a scope: check `scopes`",
}


class ProviderUnfit(Exception):  # noqa: N818
    """A provider's answer cannot be used. The text is the cause."""


STATE_OVER: Final = "the state is unknown, was used, or is too old"


class CallbackRefused(Exception):  # noqa: N818  a refusal
    """A browser did not come back as it should. The text is the true reason."""


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The endpoints of a provider (Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    keys_url: str
    names_itself: bool  # in the answer to the browser (RFC 9207)
    secret_method: str  # SECRET_BASIC or SECRET_POST


@dataclass(frozen=True, slots=True)
class BegunSignIn:
    """A sign-in that a browser began. The browser keeps it, sealed, until it comes back."""

    state: str
    nonce: str
    verifier: str  # of PKCE
    following: str  # the path of the portal to go on to
    email: str = ""  # of the user who is signed in; "" for a sign-in
    is_link: bool = False  # that user takes the identity; otherwise it shows a factor again

    @classmethod
    def begin(cls, following: str, email: str = "", *, is_link: bool = False) -> Self:
        """Return a new one."""
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_OCTETS) for _ in range(3))
        return cls(state, nonce, verifier, following, email, is_link)

    @property
    def text(self) -> str:
        """The text that `read` reads."""
        return json.dumps(astuple(self))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the sign-in of a text."""
        return cls(*json.loads(text))


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """This server, as it is registered at the provider."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]


def discovery_url(issuer: str) -> str:
    """Return where a provider describes itself."""
    return issuer.rstrip("/") + DISCOVERY_PATH


def read_metadata(document: bytes, issuer: str) -> ProviderMetadata:
    """Read the description of a provider. Raises ProviderUnfit."""
    found = _object(document, "its description")
    if found.get("issuer") != issuer:
        raise ProviderUnfit("it says that it is another issuer: check `issuer`, to the last slash")
    supported = found.get("code_challenge_methods_supported")
    if isinstance(supported, list) and "S256" not in supported:
        raise ProviderUnfit("it does not support PKCE with S256")
    methods = found.get("token_endpoint_auth_methods_supported")
    is_by_post = (
        isinstance(methods, list) and SECRET_BASIC not in methods and SECRET_POST in methods
    )
    return ProviderMetadata(
        issuer,
        _endpoint(found, "authorization_endpoint"),
        _endpoint(found, "token_endpoint"),
        _endpoint(found, "jwks_uri"),
        found.get("authorization_response_iss_parameter_supported") is True,
        SECRET_POST if is_by_post else SECRET_BASIC,
    )


def authorization_url(
    metadata: ProviderMetadata, client: ClientRegistration, begun: BegunSignIn
) -> str:
    """Return the address to which the browser goes."""
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    wanted = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": " ".join(dict.fromkeys(("openid", *client.scopes))),
        "state": begun.state,
        "nonce": begun.nonce,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    if begun.email:  # the person must show a factor now, whatever session the provider has
        wanted |= {"prompt": "login", "max_age": "0"}
    parts = urlsplit(metadata.authorization_endpoint)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *wanted.items()]
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote), fragment=""))


def check_state(answer: Mapping[str, str], begun: BegunSignIn | None) -> None:
    """Raise CallbackRefused unless a browser came back from the sign-in that it keeps.

    So nobody can send a browser back from a sign-in of their own.
    """
    if begun is None:
        raise CallbackRefused(STATE_OVER)
    state = answer.get("state", "").encode("utf-8", "replace")
    if not hmac.compare_digest(begun.state.encode(), state):
        raise CallbackRefused("the state is of another browser, or of another sign-in")


def code_from(answer: Mapping[str, str], metadata: ProviderMetadata) -> str:
    """Return the code with which a browser came back. Raises CallbackRefused."""
    issuer = answer.get("iss")
    if issuer not in (None, metadata.issuer) or (issuer is None and metadata.names_itself):
        raise CallbackRefused("the answer is of another issuer")
    if error := answer.get("error"):
        raise CallbackRefused(_ERRORS.get(error, "the provider answered with an error"))
    code = answer.get("code", "")
    if not 0 < len(code) <= LONGEST_CODE:
        raise CallbackRefused("the answer has no code")
    return code


def token_request(
    metadata: ProviderMetadata,
    client: ClientRegistration,
    begun: BegunSignIn,
    code: str,
    secret: str,
) -> tuple[Mapping[str, str], bytes]:
    """Return headers and body of the request that exchanges a code. `secret` may be ""."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": begun.verifier,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if secret and metadata.secret_method == SECRET_BASIC:  # RFC 6749, section 2.3.1
        pair = f"{quote(client.client_id, safe='')}:{quote(secret, safe='')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        fields["client_id"] = client.client_id
        if secret:
            fields["client_secret"] = secret
    return headers, urlencode(fields).encode()


def id_token_of(status: int, document: bytes) -> str:
    """Return the ID token in the answer of the token endpoint. Raises ProviderUnfit."""
    if status != 200:  # noqa: PLR2004  OK; RFC 6749, section 5
        raise ProviderUnfit(f"it refused the code ({_error_code(document)}, status {status})")
    found = _object(document, "its answer to the code").get("id_token")
    if not isinstance(found, str):
        raise ProviderUnfit("its answer to the code has no ID token: check `scopes`")
    return found


def email_in(claims: Mapping[str, Any]) -> str:
    """Return the email address that names a person in lists; "" for none that may be used.

    It is no identity: anybody may have it at some providers.
    """
    email = claims.get("email")
    if not isinstance(email, str) or len(email) > LONGEST_EMAIL:
        return ""
    return "" if claims.get("email_verified") in (False, "false") else email


def _object(document: bytes, thing: str) -> dict[str, Any]:
    try:
        found = read_json(document)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ProviderUnfit(f"{thing} is no JSON object")
    return found


def _endpoint(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    try:
        parts = urlsplit(value) if isinstance(value, str) and value.isascii() else None
        is_fit = parts is not None and parts.scheme == "https" and parts.hostname is not None
        is_fit = is_fit and parts is not None and parts.username is None and parts.port != 0
    except ValueError:
        is_fit = False
    if not is_fit or not isinstance(value, str) or not value.isprintable() or " " in value:
        raise ProviderUnfit(f"its {name} is not an https URL")
    return value


def _error_code(document: bytes) -> str:
    """Return the error of RFC 6749 in an answer: a short word, for the log."""
    try:
        code = read_json(document)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "no reason"
    is_word = isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum()
    return code[:40] if is_word else "no reason"
