"""rspamd as a filter: the request, and the meaning of its answers."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from restante.checks.filter_answer import FilterAdvice, FilterAnswer, FilterFailed
from restante.checks.rspamd_filter import RspamdFilter
from restante.checks.rspamd_settings import RspamdSettings
from tests.checks.filter_facts import CONTENT, blocks_of, content_facts
from tests.network.filter_server import Answer, FilterServer, cut, endless, http, plain
from tests.network.test_filter_http import Names

REJECT = {"action": "reject", "score": 16.5, "symbols": {"BAD": {"score": 16.5}}}


class Scene:
    """A filter, its settings, and the servers of a test."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.stack = stack
        self.settings = RspamdSettings()
        self.filter = RspamdFilter(lambda: self.settings, Names())
        stack.push_async_callback(self.filter.forget)

    async def server(self, answer: Answer) -> FilterServer:
        server = await self.stack.enter_async_context(FilterServer(answer))
        self.settings = RspamdSettings(url=server.url)
        return server

    async def ask(self) -> FilterAnswer:
        return await self.filter.ask(content_facts(), blocks_of())


def run(act: Callable[[Scene], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60), AsyncExitStack() as stack:
            await act(Scene(stack))

    asyncio.run(bounded())


def test_the_answer_is_noted_with_the_key_of_the_message_in_its_log() -> None:
    async def act(scene: Scene) -> None:
        server = await scene.server(plain(http(json.dumps(REJECT).encode())))
        found = await scene.ask()
        assert (found.advice, found.score) == (FilterAdvice.REFUSE, 16.5)
        action, symbol, key = found.notes
        assert (action, symbol) == ("reject", "BAD 16.5")
        assert server.heads[0].startswith("POST /checkv2 HTTP/1.1\r\n")
        assert f"Queue-Id: {key.removeprefix('queue id ')}\r\n" in server.heads[0]
        assert server.bodies == [CONTENT]

    run(act)


@pytest.mark.parametrize(
    "answer", [cut, endless, plain(http(b"")), plain(http(b"[]")), plain(http(b"{}", "500 No"))]
)
def test_anything_else_is_a_failure(answer: Answer) -> None:
    async def act(scene: Scene) -> None:
        await scene.server(answer)
        with pytest.raises(FilterFailed):
            await scene.ask()

    run(act)


def test_it_is_off_without_a_url() -> None:
    assert not RspamdFilter(RspamdSettings, Names()).is_on


def test_changed_settings_take_effect_with_the_next_message() -> None:
    async def act(scene: Scene) -> None:
        first = await scene.server(plain(http(b'{"action":"no action"}')))
        assert scene.filter.is_on
        assert (await scene.ask()).advice is FilterAdvice.TAKE
        second = await scene.server(plain(http(b'{"action":"greylist"}')))
        assert (await scene.ask()).advice is FilterAdvice.PUT_OFF
        assert (len(first.bodies), len(second.bodies)) == (1, 1)

    run(act)
