"""Requests to the provider of OpenID Connect at which users of the portal sign in.

The operator chose the issuer, so its addresses may be private. Everything else is as for any
outgoing request: verified TLS, no redirect, a limited time and a limited answer. Description and
keys are kept for an hour. A token with a new key has them fetched again, once a minute at most.

Strangers begin sign-ins: nothing is kept of one here. Its browser keeps it, sealed, until it comes
back. A provider that does not answer is left alone for some seconds.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from restante.admin.long_work import beside_mail
from restante.admin.one_time_seals import OneTimeSeals
from restante.network.outgoing_http import (
    OutgoingAnswer,
    OutgoingFailed,
    OutgoingHttp,
    OutgoingRequest,
)
from restante.network.resolver import Resolver
from restante.network.tls_context import verifying_client_context
from restante.tenancy.code_flow import (
    STATE_OVER,
    BegunSignIn,
    CallbackRefused,
    ClientRegistration,
    ProviderMetadata,
    ProviderUnfit,
    authorization_url,
    check_state,
    code_from,
    discovery_url,
    id_token_of,
    read_metadata,
    token_request,
)
from restante.tenancy.id_token import (
    ExpectedToken,
    KeyNotKnown,
    KeysUnfit,
    ProvenIdentity,
    ProviderKey,
    parse_key_set,
    verified_identity,
)
from restante.tenancy.provider_settings import ProviderSettings

MOST_OCTETS: Final = 262_144  # of an answer
KEPT_SECONDS: Final = 3600.0
REFRESH_SECONDS: Final = 60.0  # between two fetches of keys for unknown ones
PAUSE_SECONDS: Final = 5.0  # after a failure
_PURPOSE: Final = "sign-in at a provider"
BEGUN_SECONDS: Final = 600.0  # for a person to sign in at the provider
LONGEST_SECRET: Final = 4096  # octets


class ProviderFailed(Exception):  # noqa: N818
    """The provider could not be asked, or its answer cannot be used. For the log: the cause."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The description and the keys of a provider."""

    metadata: ProviderMetadata
    keys: Sequence[ProviderKey]
    at: float  # monotonic


class IdentityProvider:
    """Asks one provider, as it is configured now. Belongs to the event loop."""

    def __init__(
        self,
        settings: Callable[[], ProviderSettings | None],
        resolver: Resolver,
        seals: OneTimeSeals,
        now: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`settings` returns None where no provider is configured; `now` is Unix time."""
        self._seals = seals
        self._settings = settings
        self._resolver = resolver
        self._now = now
        self._monotonic = monotonic
        self._asking = asyncio.Lock()
        self._asked: tuple[ProviderSettings, OutgoingHttp] | None = None
        self._known: _Known | None = None
        self._failed: tuple[float, str] | None = None

    @property
    def settings(self) -> ProviderSettings | None:
        """The settings now; None without a provider."""
        return self._settings()

    async def begin(
        self, redirect_uri: str, following: str, email: str = "", *, is_link: bool = False
    ) -> tuple[bytes, str]:
        """Begin a sign-in; return it sealed, and the address to which the browser goes.

        The browser keeps the sealed one. With `email`, that user is to show a factor again, or to
        take the identity. Raises ProviderFailed.
        """
        settings = self._present_settings()
        known = await self._about_itself(settings)
        begun = BegunSignIn.begin(following, email, is_link=is_link)
        url = authorization_url(known.metadata, _client_registration(settings, redirect_uri), begun)
        return self._seals.seal(_PURPOSE, BEGUN_SECONDS, begun.text), url

    async def finish(
        self, answer: Mapping[str, str], kept: bytes, redirect_uri: str
    ) -> tuple[BegunSignIn, ProvenIdentity]:
        """Return the person who came back with an answer, and the sign-in that this ends.

        `kept` is what the browser kept. Raises CallbackRefused, IdTokenRefused, ProviderFailed,
        StoreError.
        """
        settings = self._present_settings()
        opened = self._seals.open(kept, _PURPOSE)
        begun = None if opened is None else BegunSignIn.read(opened.text)
        check_state(answer, begun)
        if opened is None or begun is None or not await self._seals.use(opened):
            raise CallbackRefused(STATE_OVER)  # nothing is asked for a stranger's answer
        known = await self._about_itself(settings)
        code = code_from(answer, known.metadata)
        token = await self._exchange(settings, known, begun, (code, redirect_uri))
        expected = ExpectedToken(settings.issuer, settings.client_id, begun.nonce)
        try:
            identity = verified_identity(token, known.keys, expected, self._now())
        except KeyNotKnown:
            known = await self._about_itself(settings, newer_than=known)
            identity = verified_identity(token, known.keys, expected, self._now())
        return begun, identity

    def _present_settings(self) -> ProviderSettings:
        settings = self._settings()
        if settings is None:
            raise ProviderFailed("no provider is configured")
        if self._asked is None or self._asked[0] != settings:
            context: Callable[[], ssl.SSLContext] = partial(
                verifying_client_context, settings.ca_file
            )
            self._asked = (
                settings,
                OutgoingHttp(self._resolver, lambda: settings.timeout, context),
            )
            self._known = self._failed = None
        return settings

    async def _about_itself(
        self, settings: ProviderSettings, newer_than: _Known | None = None
    ) -> _Known:
        """Return description and keys; newer ones if they may have changed since."""
        async with self._asking:
            now, known = self._monotonic(), self._known
            if known is not None and not _is_old(known, newer_than, now):
                return known
            if self._failed is not None and now - self._failed[0] < PAUSE_SECONDS:
                raise ProviderFailed(self._failed[1])
            try:
                self._known = await self._ask(settings)
            except ProviderFailed as failure:
                self._failed = (now, str(failure))
                raise
            self._failed = None
            return self._known

    async def _ask(self, settings: ProviderSettings) -> _Known:
        described = await self._fetch(OutgoingRequest("GET", discovery_url(settings.issuer)))
        try:
            _check_described(described)
            metadata = read_metadata(described.body, settings.issuer)
            shown = await self._fetch(OutgoingRequest("GET", metadata.keys_url))
            keys = parse_key_set(shown.body)
        except (ProviderUnfit, KeysUnfit) as error:
            raise ProviderFailed(str(error)) from None
        return _Known(metadata, keys, self._monotonic())

    async def _exchange(
        self, settings: ProviderSettings, known: _Known, begun: BegunSignIn, code: tuple[str, str]
    ) -> str:
        """Exchange a code and its redirect URI for an ID token. Raises ProviderFailed."""
        secret = await beside_mail(_read_secret, settings.secret_file)
        client = _client_registration(settings, code[1])
        headers, body = token_request(known.metadata, client, begun, code[0], secret)
        request = OutgoingRequest("POST", known.metadata.token_endpoint, headers, body)
        answer = await self._fetch(request)
        try:
            return id_token_of(answer.status, answer.body)
        except ProviderUnfit as error:
            raise ProviderFailed(str(error)) from None

    async def _fetch(self, request: OutgoingRequest) -> OutgoingAnswer:
        assert self._asked is not None
        http = self._asked[1]
        whole = OutgoingRequest(
            request.method,
            request.url,
            {"accept": "application/json", **request.headers},
            request.body,
            most_octets=MOST_OCTETS,
        )
        try:
            return await http.fetch(whole)
        except OutgoingFailed as error:
            http.forget(request.url)
            raise ProviderFailed(str(error)) from None


def _check_described(answer: OutgoingAnswer) -> None:
    if answer.status != HTTPStatus.OK:
        raise ProviderUnfit(f"its description has the status {answer.status}")


def _is_old(known: _Known, newer_than: _Known | None, now: float) -> bool:
    """Return whether to ask again: after an hour, or for a key that was not known."""
    age = now - known.at
    if newer_than is known:
        return age >= REFRESH_SECONDS
    return age >= KEPT_SECONDS


def _client_registration(settings: ProviderSettings, redirect_uri: str) -> ClientRegistration:
    return ClientRegistration(settings.client_id, redirect_uri, settings.scopes)


def _read_secret(file: str) -> str:
    """Return the secret in a file, without the line's end. Raises ProviderFailed."""
    if not file:
        return ""
    try:
        with Path(file).open("rb") as stream:
            secret = stream.read(LONGEST_SECRET + 1).decode().strip()
    except OSError as error:
        cause = f"`client_secret_file` cannot be read: {error.strerror}"
        raise ProviderFailed(cause) from None
    except UnicodeDecodeError:
        raise ProviderFailed("`client_secret_file` is not UTF-8 text") from None
    if not 0 < len(secret) <= LONGEST_SECRET:
        raise ProviderFailed("`client_secret_file` is empty or too long")
    return secret
