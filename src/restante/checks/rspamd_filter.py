"""rspamd as a filter, over HTTP (`POST /checkv2`)."""

import secrets
from collections.abc import AsyncIterator, Callable

from restante.checks.check import ExaminedContent
from restante.checks.filter_answer import FilterAnswer, FilterFailed
from restante.checks.rspamd_protocol import PATH, read_answer, request_fields
from restante.checks.rspamd_settings import RspamdSettings, filter_place
from restante.network.filter_http import FilterHttp, FilterHttpFailed, FilterHttpPlace
from restante.network.resolver import Resolver

_KEY_OCTETS = 5


class RspamdFilter:
    """Asks the rspamd of the settings. A change of them takes effect with the next message."""

    name = "rspamd"

    def __init__(self, settings: Callable[[], RspamdSettings], resolver: Resolver) -> None:
        self._settings = settings
        self._resolver = resolver
        self._made_for: RspamdSettings | None = None
        self._http: FilterHttp | None = None

    @property
    def is_on(self) -> bool:
        """Whether there is a URL."""
        return bool(self._settings().url)

    @property
    def seconds(self) -> float:
        """The time for an answer."""
        return self._settings().timeout

    async def ask(self, facts: ExaminedContent, blocks: AsyncIterator[bytes]) -> FilterAnswer:
        """Return its answer about a message. Raises FilterFailed, and StoreError by the blocks."""
        http = await self._client()
        key = secrets.token_hex(_KEY_OCTETS)
        try:
            body = await http.post(PATH, request_fields(facts, key), facts.octets, blocks)
        except FilterHttpFailed as error:
            raise FilterFailed(str(error), is_of_message=error.is_of_request) from None
        try:
            answer = read_answer(body)
        except ValueError:
            raise FilterFailed("its answer is not one of rspamd") from None
        return answer._replace(notes=(*answer.notes, f"queue id {key}"))

    async def forget(self) -> None:
        """Close the connections that nobody uses: the settings have changed."""
        http, self._http = self._http, None
        if http is not None:
            await http.retire()

    async def _client(self) -> FilterHttp:
        settings = self._settings()
        if self._http is None or self._made_for != settings:
            await self.forget()
            place = filter_place(settings.url)
            self._http = FilterHttp(
                FilterHttpPlace(place.url, place.socket, settings.ca_file, settings.password_file),
                self._resolver,
            )
            self._made_for = settings
        return self._http
