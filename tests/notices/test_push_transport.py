"""Notices through Apprise, to a receiver of one of its schemes on loopback; without Apprise."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from math import inf

import pytest

from restante.notices import push_transport
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.push_transport import AT_ONCE, PushTransport, read_push_url
from restante.notices.targets import NotAChannelTarget
from restante.tenancy.notice import Notice
from tests.notices.scene import notice, notice_facts, play
from tests.notices.test_webhook_transport import HOSTNAME, SECRET, Receiver, drip, hang

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def pushed(
    receiver: Receiver, seconds: float = inf, path: str = SECRET, what: Notice | None = None
) -> NoticeAttempt:
    async def story() -> NoticeAttempt:
        async with receiver.listening() as port:
            url = f"json://127.0.0.1:{port}/{path}"
            return await PushTransport(HOSTNAME, lambda: seconds).send(url, what or notice())

    return play(story())


class Hanging:
    """Takes connections, and answers nothing on any of them."""

    def __init__(self) -> None:
        self.came, self.left = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def _hang(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.release()
        while await reader.read(65536):
            pass
        self.left.release()
        writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        async with await asyncio.start_server(self._hang, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]


def test_a_notice_is_handed_to_the_service() -> None:
    receiver = Receiver(OK)
    assert pushed(receiver) == NoticeAttempt(NoticeResult.SENT, "taken")
    [(first, _, body)] = receiver.requests
    assert first == f"POST /{SECRET} HTTP/1.1"
    facts = json.loads(body)
    assert facts["title"] == "mail-after-quiet: alpha.example"
    assert facts["message"].startswith("something about alpha.example")


def test_where_the_service_wants_html_the_words_of_strangers_are_no_tags() -> None:
    receiver = Receiver(OK)
    said = replace(notice_facts(), text="<b>not bold</b>")
    assert pushed(receiver, path="?format=html", what=notice(facts=said)).end is NoticeResult.SENT
    [(_, _, body)] = receiver.requests
    message = json.loads(body)["message"]
    assert "&lt;b&gt;not" in message
    assert "<b>" not in message


def test_a_notice_refused_for_now_is_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    """And none of Apprise's messages about it goes into our log."""
    attempt = pushed(Receiver(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
    assert attempt == NoticeAttempt(NoticeResult.NOT_NOW, "the service did not take it")
    assert "".join(capfd.readouterr()) == ""


def test_a_service_that_is_slow_is_not_waited_for() -> None:
    assert pushed(Receiver(b"", hang), seconds=0.05) == NoticeAttempt(
        NoticeResult.NOT_NOW, "no answer in time"
    )


def test_pushes_that_hang_are_ended_and_leave_the_way_to_others() -> None:
    """The server ends them when it stops. Each has its connection by then, and the maximum wait."""

    async def story() -> NoticeAttempt:
        hanging, other = Hanging(), Receiver(OK)
        async with hanging.listening() as silent, other.listening() as port:
            pushes = PushTransport(HOSTNAME, lambda: 300.0)
            url = f"json://127.0.0.1:{silent}/?rto=300"
            waiting = [asyncio.ensure_future(pushes.send(url, notice())) for _ in range(AT_ONCE)]
            for _ in waiting:
                await hanging.came.acquire()
            for push_ in waiting:
                push_.cancel()
            await asyncio.wait(waiting)
            for _ in waiting:
                await hanging.left.acquire()
            return await pushes.send(f"json://127.0.0.1:{port}/", notice())

    assert play(story()) == NoticeAttempt(NoticeResult.SENT, "taken")


def test_an_answer_without_end_costs_no_memory_of_ours() -> None:
    """Apprise reads it until it may have no more."""
    endless = Receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", drip)
    attempt = pushed(endless, seconds=100.0)
    assert attempt.end is NoticeResult.NOT_NOW
    assert attempt.text != "no answer in time"


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (
            (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"),
            "Apprise failed: exit code -9",
        ),
        (("/nowhere/python",), "Apprise cannot be started: No such file or directory"),
    ],
)
def test_a_process_that_fails_is_a_push_that_failed(
    monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], text: str
) -> None:
    monkeypatch.setattr(push_transport, "_COMMAND", command)
    assert pushed(Receiver()) == NoticeAttempt(NoticeResult.NOT_NOW, text)
    with pytest.raises(NotAChannelTarget, match=text):
        play(read_push_url("json://hook.example/"))


@pytest.mark.parametrize(
    ("url", "shown"),
    [(f"json://hook.example/{SECRET}", "json://…"), (f"XMLS://{SECRET}", "xmls://…")],
)
def test_of_a_url_the_scheme_is_shown(url: str, shown: str) -> None:
    assert play(read_push_url(f" {url}\n")) == (url, shown)


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"nothing://{SECRET}",
        f"json://x\x00{SECRET}",
        f"json://{SECRET * 1000}",
        "slack://",
    ],
)
def test_a_url_unknown_to_apprise_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(NotAChannelTarget) as refused:
        play(read_push_url(url))
    assert SECRET not in str(refused.value) + refused.value.remedy


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_transport, "find_spec", lambda _: None)
    with pytest.raises(NotAChannelTarget, match="Apprise is not installed") as refused:
        play(read_push_url("json://hook.example/"))
    assert refused.value.remedy == f"{sys.executable} -m pip install apprise"
    receiver = Receiver()
    assert (
        pushed(receiver).text
        == f"Apprise is not installed: {sys.executable} -m pip install apprise"
    )
    assert receiver.connections == 0


def test_nothing_of_apprise_is_loaded_by_the_server() -> None:
    async def loaded() -> bytes:
        program = (
            "import sys, restante.server.server_life, restante.cli.command_line; print('apprise' in"
            " sys.modules)"
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE
        )
        return (await process.communicate())[0]

    assert play(loaded()) == b"False\n"
