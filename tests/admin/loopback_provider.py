"""A small provider of OpenID Connect on loopback. It signs with real keys, over real TLS.

It checks what a provider checks: the client and its secret, the redirect URI, the code, which is
good once, and the verifier of PKCE. `claims` and `answers` make it a bad one.
"""

import asyncio
import base64
import hashlib
import json
import secrets
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import trustme
from joserfc import jwk, jws

from restante.tenancy.grants import GrantedRole
from restante.tenancy.provider_settings import ProviderSettings, RoleRule

CLIENT, SECRET = "restante", "s3cret: with/signs"
ANA = {"sub": "8a1f", "email": "ana@alpha.example", "groups": ["alpha-mail"]}
RULES = (
    RoleRule("mail-admins", GrantedRole.OPERATOR),
    RoleRule("alpha-mail", GrantedRole.ACCOUNT_ADMIN, "alpha"),
)


def new_key(name: str) -> jwk.RSAKey:
    return jwk.RSAKey.generate_key(2048, {"kid": name, "use": "sig"}, auto_kid=False)


@dataclass
class LoopbackProvider:
    """Its present person signs in at once."""

    claims: dict[str, Any] = field(default_factory=lambda: dict(ANA))
    described: dict[str, Any] = field(default_factory=dict)  # differs from a good description
    answers: dict[str, bytes] = field(default_factory=dict)  # whole answers by path
    key: Any = field(default_factory=lambda: new_key("first"))
    algorithm: str = "RS256"
    shown: list[Any] = field(default_factory=list)  # keys; its own if empty
    requests: list[str] = field(default_factory=list)
    now: float | None = None
    issuer: str = ""
    ca_file: str = ""

    def __post_init__(self) -> None:
        self._codes: dict[str, dict[str, str]] = {}

    def settings(self, **fields: Any) -> ProviderSettings:
        values: dict[str, Any] = {
            "issuer": self.issuer,
            "client_id": CLIENT,
            "secret_file": "",
            "name": "Loopback",
            "scopes": ("openid", "email"),
            "groups_claim": "groups",
            "rules": RULES,
            "ca_file": self.ca_file,
            "timeout": 8.0,
        }
        return ProviderSettings(**{**values, **fields})

    def visit(self, url: str) -> dict[str, str]:
        """Sign the person in, as a browser at the address; return the answer in the redirect."""
        split = urlsplit(url)
        assert split._replace(query="").geturl() == f"{self.issuer}/authorize"
        asked = dict(parse_qsl(split.query))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    @asynccontextmanager
    async def listening(self, directory: Path) -> AsyncIterator["LoopbackProvider"]:
        ca = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        self.ca_file = str(directory / "ca.pem")
        ca.cert_pem.write_to_path(self.ca_file)
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.issuer = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/realm"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
            first, *lines = head.split("\r\n")[:-2]
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            target = first.split(" ")[1]
            self.requests.append(target.partition("?")[0].removeprefix("/realm"))
            writer.write(self._answer(target, headers, body))
            await writer.drain()
        writer.close()

    def _answer(self, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        path = urlsplit(target).path.removeprefix("/realm")
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            return answer_of(self._description())
        if path == "/keys":
            keys = self.shown or [self.key]
            return answer_of({"keys": [one.as_dict(private=False) for one in keys]})
        if path == "/authorize":  # a browser
            asked = dict(parse_qsl(urlsplit(target).query))
            back = urlencode(self.visit(self.issuer + path + "?" + urlsplit(target).query))
            location = f"{asked['redirect_uri']}?{back}"
            return (
                f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        if path == "/token":
            return self._exchange(headers, dict(parse_qsl(body.decode())))
        return answer_of({}, 404)

    def _description(self) -> dict[str, Any]:
        good = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return {**good, **self.described}

    def _exchange(self, headers: Mapping[str, str], form: Mapping[str, str]) -> bytes:
        asked = self._codes.pop(form.get("code", ""), None)
        if not self._is_client(headers, form):
            return answer_of({"error": "invalid_client"}, 401)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return answer_of({"error": "invalid_grant"}, 400)
        return answer_of({"id_token": self.token(asked["nonce"]), "token_type": "Bearer"})

    def token(self, nonce: str) -> str:
        now = int(self.now if self.now is not None else time.time())
        good = {"iss": self.issuer, "aud": CLIENT, "nonce": nonce, "iat": now, "exp": now + 300}
        claims = {name: value for name, value in {**good, **self.claims}.items() if value != "-"}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        text = json.dumps(claims)
        return jws.serialize_compact(header, text, self.key, algorithms=[self.algorithm])

    def _is_client(self, headers: Mapping[str, str], form: Mapping[str, str]) -> bool:
        if "authorization" not in headers:
            given = (form.get("client_id"), form.get("client_secret"))
            return given in ((CLIENT, SECRET), (CLIENT, None))
        text = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
        return [unquote(one) for one in text.split(":")] == [CLIENT, SECRET]


def answer_of(value: object, status: int = 200) -> bytes:
    body = json.dumps(value).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
