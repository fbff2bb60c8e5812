"""Sign-ins at a provider that runs on loopback, and the ways in which it may be a bad one."""

import base64
import hmac
import inspect
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from restante.admin.identity_provider import (
    KEPT_SECONDS,
    MOST_OCTETS,
    PAUSE_SECONDS,
    REFRESH_SECONDS,
    IdentityProvider,
    ProviderFailed,
)
from restante.admin.one_time_seals import OneTimeSeals
from restante.store.memory import MemoryStore
from restante.tenancy.code_flow import CallbackRefused
from restante.tenancy.id_token import IdTokenRefused, ProvenIdentity
from restante.tenancy.sealed_secrets import Vault
from tests.admin.admin_world import run
from tests.admin.loopback_provider import SECRET, LoopbackProvider, answer_of, new_key
from tests.delivery.world import Names

BACK = "https://portal.example.net/sign-in/provider/back"
NOW = 1_700_000_000.0


class AdminWorld:
    """An IdentityProvider that asks the provider on loopback, with a clock of its own."""

    def __init__(self, provider: LoopbackProvider, directory: Path) -> None:
        self.provider, self.clock = provider, 0.0
        self.secret_file = directory / "secret"
        self.secret_file.write_text(SECRET + "\n")
        self.fields: dict[str, Any] = {}
        self.asked = IdentityProvider(
            lambda: provider.settings(**{"secret_file": str(self.secret_file), **self.fields}),
            Names(),
            OneTimeSeals(Vault(b"k" * 32), MemoryStore().used, lambda: NOW + self.clock),
            lambda: NOW,
            lambda: self.clock,
        )

    async def sign_in(self, email: str = "", **answer: str) -> ProvenIdentity:
        begun, url = await self.asked.begin(BACK, "/queue", email)
        back = {**self.provider.visit(url), **answer}
        ended, identity = await self.asked.finish(back, begun, BACK)
        assert (ended.following, ended.email) == ("/queue", email)
        assert ended.verifier.encode() not in begun
        return identity


def in_admin_world(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make a test of a story with an admin world, given before the test's other arguments."""

    def told(tmp_path: Path, **values: Any) -> None:
        async def story() -> None:
            async with LoopbackProvider(now=NOW).listening(tmp_path) as provider:
                await test(AdminWorld(provider, tmp_path), **values)

        run(story())

    others = list(inspect.signature(test).parameters.values())[1:]
    place = inspect.Parameter("tmp_path", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    told.__signature__ = inspect.Signature([place, *others])  # type: ignore[attr-defined]
    told.__name__ = test.__name__
    return told


@in_admin_world
async def test_a_person_comes_back_with_a_proven_identity(admin: AdminWorld) -> None:
    identity = await admin.sign_in()
    assert (identity.issuer, identity.subject) == (admin.provider.issuer, "8a1f")
    assert identity.texts("groups") == {"alpha-mail"}
    assert identity.authenticated_at is None
    assert admin.provider.requests == ["/.well-known/openid-configuration", "/keys", "/token"]
    await admin.sign_in()
    assert admin.provider.requests[3:] == ["/token"]


@in_admin_world
async def test_the_browser_is_sent_with_random_values_and_the_exact_redirect_uri(
    admin: AdminWorld,
) -> None:
    asked = []
    for email in ("", "ana@alpha.example"):
        _, url = await admin.asked.begin(BACK, "/", email)
        asked.append(dict(parse_qsl(urlsplit(url).query)))
    first, second = asked
    assert first["redirect_uri"] == BACK
    assert first["scope"] == "openid email"
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name]) == 43
    assert "prompt" not in first
    assert (second["prompt"], second["max_age"]) == ("login", "0")


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic", "none"])
@in_admin_world
async def test_the_secret_is_sent_as_the_provider_wants(admin: AdminWorld, method: str) -> None:
    admin.provider.described = {"token_endpoint_auth_methods_supported": [method]}
    if method == "none":
        admin.fields = {"secret_file": ""}
    assert (await admin.sign_in()).subject == "8a1f"


@in_admin_world
async def test_a_wrong_secret_is_told_to_the_operator(admin: AdminWorld) -> None:
    admin.secret_file.write_text("old secret")
    with pytest.raises(ProviderFailed, match="invalid_client, status 401"):
        await admin.sign_in()
    admin.secret_file.write_text("")
    with pytest.raises(ProviderFailed, match="empty"):
        await admin.sign_in()
    admin.secret_file.unlink()
    with pytest.raises(ProviderFailed, match="cannot be read: No such file"):
        await admin.sign_in()


@in_admin_world
async def test_a_state_is_good_once_and_for_its_browser(admin: AdminWorld) -> None:
    begun, url = await admin.asked.begin(BACK, "/")
    back = admin.provider.visit(url)
    other, another_url = await admin.asked.begin(BACK, "/")
    asked = len(admin.provider.requests)
    for answer in ({**back, "state": "other"}, admin.provider.visit(another_url), {}):
        with pytest.raises(CallbackRefused, match="of another browser"):
            await admin.asked.finish(answer, begun, BACK)
    with pytest.raises(CallbackRefused, match="of another browser"):
        await admin.asked.finish(back, other, BACK)
    for kept in (b"", b"x" * 200, begun[:-1]):
        with pytest.raises(CallbackRefused, match="state is unknown, was used"):
            await admin.asked.finish(back, kept, BACK)
    assert len(admin.provider.requests) == asked
    await admin.asked.finish(back, begun, BACK)
    asked = len(admin.provider.requests)
    with pytest.raises(CallbackRefused, match="state is unknown, was used"):
        await admin.asked.finish(back, begun, BACK)
    assert len(admin.provider.requests) == asked


@in_admin_world
async def test_a_state_is_too_old_after_ten_minutes(admin: AdminWorld) -> None:
    begun, url = await admin.asked.begin(BACK, "/")
    admin.clock = 600.0
    with pytest.raises(CallbackRefused, match="too old"):
        await admin.asked.finish(admin.provider.visit(url), begun, BACK)


@in_admin_world
async def test_a_code_of_another_sign_in_is_refused(admin: AdminWorld) -> None:
    begun, url = await admin.asked.begin(BACK, "/")
    _, stolen = await admin.asked.begin(BACK, "/")
    back = {**admin.provider.visit(url), "code": admin.provider.visit(stolen)["code"]}
    with pytest.raises(ProviderFailed, match="invalid_grant"):  # by the verifier of PKCE
        await admin.asked.finish(back, begun, BACK)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": ""}, "another issuer"),
        ({"error": "access_denied"}, "did not agree"),
        ({"error": "<b>x"}, "answered with an error"),
        ({"code": ""}, "no code"),
        ({"code": "x" * 5000}, "no code"),
    ],
    ids=range(6),
)
@in_admin_world
async def test_an_answer_that_is_not_good_is_refused(
    admin: AdminWorld, answer: dict[str, str], reason: str
) -> None:
    with pytest.raises(CallbackRefused, match=reason):
        await admin.sign_in(**answer)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"aud": "other"}, "another audience"),
        ({"aud": ["restante", "other"]}, "another party"),
        ({"azp": "other"}, "another party"),
        ({"nonce": "other"}, "nonce of another sign-in"),
        ({"nonce": "-"}, "nonce of another sign-in"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"exp": int(NOW) - 61}, "has expired"),
        ({"iat": int(NOW) + 61, "exp": int(NOW) + 400}, "future"),
        ({"nbf": int(NOW) + 61}, "future"),
        ({"exp": "-"}, "no times"),
        ({"exp": "soon"}, "not a number"),
        ({"sub": ""}, "no subject"),
    ],
    ids=range(12),
)
@in_admin_world
async def test_a_token_of_another_kind_signs_nobody_in(
    admin: AdminWorld, claims: dict[str, Any], reason: str
) -> None:
    admin.provider.claims |= claims
    with pytest.raises(IdTokenRefused, match=reason):
        await admin.sign_in()


@in_admin_world
async def test_clocks_may_differ_by_a_minute(admin: AdminWorld) -> None:
    for claims in ({"exp": int(NOW) - 59}, {"iat": int(NOW) + 59, "exp": int(NOW) + 400}):
        admin.provider.claims = {**admin.provider.claims, **claims}
        assert (await admin.sign_in()).subject == "8a1f"


@in_admin_world
async def test_new_keys_are_fetched_when_they_are_used(admin: AdminWorld) -> None:
    await admin.sign_in()
    admin.provider.key = new_key("second")
    admin.clock = REFRESH_SECONDS
    assert (await admin.sign_in()).subject == "8a1f"
    assert admin.provider.requests.count("/keys") == 2
    admin.clock += KEPT_SECONDS - 1
    await admin.sign_in()
    assert admin.provider.requests.count("/keys") == 2
    admin.clock += 1
    await admin.sign_in()
    assert admin.provider.requests.count("/keys") == 3


@in_admin_world
async def test_an_unknown_key_has_keys_fetched_once_a_minute(admin: AdminWorld) -> None:
    await admin.sign_in()
    admin.provider.shown, admin.provider.key = [admin.provider.key], new_key("strange")
    for seconds in (1.0, REFRESH_SECONDS, REFRESH_SECONDS + 1):
        admin.clock = seconds
        with pytest.raises(IdTokenRefused, match="does not show"):
            await admin.sign_in()
    assert admin.provider.requests.count("/keys") == 2


@in_admin_world
async def test_another_key_of_the_same_name_signs_nobody_in(admin: AdminWorld) -> None:
    admin.provider.shown, admin.provider.key = [admin.provider.key], new_key("first")
    with pytest.raises(IdTokenRefused, match="signature"):
        await admin.sign_in()


def unsigned(token: str, header: dict[str, str]) -> str:
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return f"{first}.{token.split('.')[1]}."


@in_admin_world
async def test_a_token_without_a_signature_signs_nobody_in(
    admin: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = admin.provider.token
    for algorithm in ("none", "None", "HS256", ""):
        header = {"alg": algorithm, "kid": "first"}
        monkeypatch.setattr(
            admin.provider, "token", lambda nonce, header=header: unsigned(good(nonce), header)
        )
        with pytest.raises(IdTokenRefused, match="algorithm"):
            await admin.sign_in()


@in_admin_world
async def test_the_public_key_is_no_shared_secret(
    admin: AdminWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, public = admin.provider.token, admin.provider.key.as_pem(private=False)

    def forged(nonce: str) -> str:
        text = unsigned(good(nonce), {"alg": "HS256", "kid": "first"})
        digest = hmac.digest(public, text.rstrip(".").encode(), "sha256")
        return text + base64.urlsafe_b64encode(digest).decode().rstrip("=")

    monkeypatch.setattr(admin.provider, "token", forged)
    with pytest.raises(IdTokenRefused, match="'HS256'"):
        await admin.sign_in()


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        ({"issuer": "https://evil.example"}, "another issuer"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"token_endpoint": "http://127.0.0.1/token"}, "token_endpoint is not an https URL"),
        ({"token_endpoint": "file:///etc/passwd"}, "token_endpoint is not an https URL"),
        ({"jwks_uri": "https://user@127.0.0.1/keys"}, "jwks_uri is not an https URL"),
        ({"authorization_endpoint": 7}, "authorization_endpoint is not an https URL"),
    ],
    ids=range(6),
)
@in_admin_world
async def test_a_description_that_cannot_be_right_is_not_used(
    admin: AdminWorld, described: dict[str, Any], reason: str
) -> None:
    admin.provider.described = described
    with pytest.raises(ProviderFailed, match=reason):
        await admin.sign_in()


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/keys", answer_of({"keys": []}), "no key for signatures"),
        ("/keys", answer_of({}), "no JSON Web Key Set"),
        ("/keys", answer_of({"keys": [{}] * 101}), "more than 100 keys"),
        ("/keys", answer_of("x" * MOST_OCTETS), "too long"),
        ("/token", answer_of({"access_token": "x"}), "no ID token"),
        ("/token", answer_of([]), "no JSON object"),
        ("/token", answer_of({"error": "a\nb"}, 400), r"\(no reason, status 400\)"),
        ("/token", b"HTTP/1.1 302 X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", "302"),
        ("/token", b"not HTTP\r\n\r\n", "not HTTP"),
        ("/.well-known/openid-configuration", answer_of({}, 503), "status 503"),
    ],
    ids=range(10),
)
@in_admin_world
async def test_an_answer_that_cannot_be_used_is_a_failure(
    admin: AdminWorld, path: str, answer: bytes, reason: str
) -> None:
    admin.provider.answers[path] = answer
    with pytest.raises(ProviderFailed, match=reason):
        await admin.sign_in()
    assert "/other" not in admin.provider.requests


@in_admin_world
async def test_a_provider_that_fails_is_left_alone_for_a_moment(admin: AdminWorld) -> None:
    path = "/.well-known/openid-configuration"
    admin.provider.answers[path] = answer_of({}, 503)
    for seconds in (0.0, PAUSE_SECONDS - 0.1, PAUSE_SECONDS):
        admin.clock = seconds
        with pytest.raises(ProviderFailed, match="status 503"):
            await admin.sign_in()
    assert admin.provider.requests == [path, path]
    del admin.provider.answers[path]
    admin.clock += PAUSE_SECONDS
    assert (await admin.sign_in()).subject == "8a1f"


@in_admin_world
async def test_the_provider_s_certificate_is_verified(admin: AdminWorld) -> None:
    admin.fields = {"ca_file": ""}
    with pytest.raises(ProviderFailed, match="certificate is not trusted"):
        await admin.sign_in()
    admin.fields = {"ca_file": "/nowhere/ca.pem"}
    with pytest.raises(ProviderFailed, match="No such file"):
        await admin.sign_in()


@in_admin_world
async def test_other_settings_forget_the_provider_before(admin: AdminWorld) -> None:
    await admin.sign_in()
    admin.fields = {"client_id": "other"}
    with pytest.raises(ProviderFailed, match="invalid_client"):
        await admin.sign_in()
    assert admin.provider.requests.count("/keys") == 2


def test_without_a_provider_nothing_begins() -> None:
    admin = IdentityProvider(
        lambda: None,
        Names(),
        OneTimeSeals(Vault(b"k" * 32), MemoryStore().used, lambda: NOW),
        lambda: NOW,
        lambda: 0.0,
    )
    with pytest.raises(ProviderFailed, match="no provider"):
        run(admin.begin(BACK, "/"))
    assert admin.settings is None
