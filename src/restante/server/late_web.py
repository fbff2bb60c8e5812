"""The parts of `web` and `acme` listeners: loaded and built for the first such listener.

A reload can add one. The portal, the API and their libraries need no memory before.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from restante.acme.challenge_answers import ChallengeAnswers
from restante.config.listen_settings import Listen
from restante.config.schema import Config
from restante.config.server_certificates import ServerIdentity
from restante.reception.descriptor_limit import http_connections_possible
from restante.reception.listeners import ListenerSettings
from restante.request_limits.stranger_limits import StrangerLimits
from restante.server.built_parts import BuildContext, ReceptionParts
from restante.server.late_code import LateCode
from restante.web.http_connections import HttpConnections, HttpService
from restante.web.request_counts import RequestCounts

if TYPE_CHECKING:
    from restante.server.admin_parts import AdminParts
    from restante.server.web_settings_maker import HttpSettingsMaker

_MODULE: Final = "restante.server.build_web"
_ACME_SHARE: Final = 4  # of the HTTP connections; an authority makes a few
_BLOCK_SHARE: Final = 4  # one address block may have a quarter of the connections


@dataclass(frozen=True, slots=True)
class HttpGround:
    """The parts of HTTP listeners that need no code of theirs, such as counts."""

    web: HttpConnections
    acme: HttpConnections
    counts: RequestCounts
    strangers: StrangerLimits
    answers: ChallengeAnswers


@dataclass(frozen=True, slots=True)
class WebGround:
    """The parts that those of the listeners are built on, beside those of administration."""

    ground: BuildContext
    reception: ReceptionParts
    http: HttpGround


def http_ground(counts: RequestCounts, monotonic: Callable[[], float]) -> HttpGround:
    """Return the limits of the connections of all listeners of HTTP, and their counts."""
    limit, strangers = http_connections_possible(), StrangerLimits()
    web = HttpConnections(
        HttpService.WEB,
        limit,
        max(1, limit // _BLOCK_SHARE),
        lambda block: strangers.turns_away(block, monotonic()),
    )
    of_acme = max(1, limit // _ACME_SHARE)
    acme = HttpConnections(HttpService.ACME, of_acme, max(1, of_acme // _BLOCK_SHARE))
    return HttpGround(web, acme, counts, strangers, ChallengeAnswers())


class LateWeb:
    """The parts, once there is a listener."""

    def __init__(
        self,
        late: LateCode,
        ground: WebGround,
        administration: "Callable[[], Awaitable[AdminParts]]",
    ) -> None:
        """`administration` returns its parts. Raises CodeNotLoaded."""
        self._late = late
        self._ground = ground
        self._administration = administration
        self._maker: HttpSettingsMaker | None = None

    async def prepare(self, listen: Iterable[Listen]) -> None:
        """Load and build what these listeners need. Raises CodeNotLoaded."""
        if not any(each.is_http for each in listen):
            return
        await self._late.load(_MODULE)
        administration = await self._administration()
        from restante.server.build_web import build_web  # noqa: PLC0415  heavy

        self._maker = self._maker or build_web(self._ground, administration)

    def settings(
        self, config: Config, listen: Listen, identity: ServerIdentity
    ) -> ListenerSettings:
        """Return what the clients of a listener get, after `prepare`."""
        assert self._maker is not None
        return self._maker.settings(config, listen, identity)
