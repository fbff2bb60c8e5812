"""Builds the parts of `web` and `acme` listeners: the API with its gate, and the portal.

Their code is as large as that of mail. A server loads this module with its first such listener.
"""

import time
from functools import partial

from restante.admin.identity_provider import IdentityProvider
from restante.admin.own_credentials import OwnCredentials
from restante.admin.passkey_service import PasskeyService
from restante.admin.portal_hashing import PortalHashing
from restante.admin.provider_sign_in import ProviderSignIn
from restante.admin.sign_in import SignInService
from restante.admin.token_authentication import TokenGate
from restante.server.admin_parts import AdminParts
from restante.server.built_parts import BuildContext
from restante.server.late_web import WebGround
from restante.server.web_settings_maker import (
    HttpSettingsMaker,
    WebListenerSettingsMaker,
    acme_settings,
)
from restante.web.api.api_application import PreparedApi, build_api
from restante.web.api.bearer_tokens import identify
from restante.web.portal.portal_application import PreparedPortal, build_portal
from restante.web.portal.session_cookie import CookieSessions
from restante.web.portal.sign_in_parts import SignInParts
from restante.web.portal.sign_in_routes import sign_in_routes
from restante.web.web_gate import GateParts


def build_web(base: WebGround, parts: AdminParts) -> HttpSettingsMaker:
    """Build them on those of mail, `base`, and of administration."""
    http = base.http
    return HttpSettingsMaker(
        WebListenerSettingsMaker(_gate(base, parts), http.web),
        acme_settings(http.answers, http.acme, http.counts),
    )


def _gate(base: WebGround, parts: AdminParts) -> GateParts:
    care, disk_space = parts.context.store.upkeep, base.reception.disk_space
    token_gate = _token_gate(base.ground, parts)
    return GateParts(
        api=PreparedApi(build_api(parts.context)),
        identify=lambda scope, client: identify(scope, token_gate, client),
        is_ready=lambda: not (care.failure or care.absence or disk_space.is_short),
        defers_large_mail=lambda: bool(care.content_absence),
        counts=base.http.counts,
        monotonic=time.monotonic,
        now=time.time,
        strangers=base.http.strangers,
        portal=_portal(base.ground, parts),
    )


def _token_gate(ground: BuildContext, parts: AdminParts) -> TokenGate:
    return TokenGate(
        ground.records.directory,
        parts.token_uses,
        ground.setup.log,
        now=time.time,
        monotonic=time.monotonic,
        share=ground.failures.share,
    )


def _portal(ground: BuildContext, parts: AdminParts) -> PreparedPortal:
    context = parts.context
    look, hashing = ground.setup.config.portal.look, PortalHashing()
    provider = IdentityProvider(
        lambda: ground.settings.config.oidc.provider_settings,
        ground.resolver,
        context.one_time_seals,
        time.time,
        time.monotonic,
    )
    sign_in = SignInService(context, hashing, time.monotonic, ground.failures.share)
    credentials = OwnCredentials(context, hashing, context.network.hostname)
    passkeys = PasskeyService(context, sign_in, look.name)
    provided = ProviderSignIn(context, sign_in, provider, time.monotonic)
    signing = SignInParts(context, sign_in, credentials, parts.sessions, passkeys, provided)
    routes = sign_in_routes(signing)
    sessions = CookieSessions(parts.sessions)
    return PreparedPortal(partial(build_portal, context, sessions, look, routes))
