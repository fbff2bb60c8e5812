"""Notices through Apprise itself, to a receiver on loopback that speaks one of its schemes; and without Apprise."""

import asyncio
import json

import pytest

from restante.notices import push
from restante.notices.attempt import Attempt, End
from restante.notices.push import Pushes, read_push_url
from restante.notices.targets import NotATarget
from tests.notices.scene import notice, play
from tests.notices.test_webhook import HOSTNAME, SECRET, Receiver, hang


def pushed(receiver: Receiver, seconds: float = 30.0) -> Attempt:
    async def story() -> Attempt:
        async with receiver.listening() as port:
            return await Pushes(HOSTNAME, lambda: seconds).send(f"json://127.0.0.1:{port}/{SECRET}", notice())

    return play(story())


def test_a_notice_is_handed_to_the_service() -> None:
    receiver = Receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert pushed(receiver) == Attempt(End.SENT, "taken")
    [(first, _, body)] = receiver.requests
    assert first == f"POST /{SECRET} HTTP/1.1"
    facts = json.loads(body)
    assert facts["title"] == "mail-after-quiet: alpha.example"
    assert facts["message"].startswith("something about alpha.example")


def test_what_the_service_does_not_take_is_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    attempt = pushed(Receiver(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
    assert attempt == Attempt(End.NOT_NOW, "the service did not take it")
    assert SECRET not in "".join(capfd.readouterr())


def test_a_service_that_is_slow_is_not_waited_for() -> None:
    """Apprise's thread goes on; nothing else waits for it."""
    assert pushed(Receiver(b"", hang), seconds=0.05) == Attempt(End.NOT_NOW, "no answer in time")


@pytest.mark.parametrize(
    ("url", "shown"), [(f"json://hook.example/{SECRET}", "json://…"), (f"XMLS://{SECRET}", "xmls://…")]
)
def test_of_a_url_the_scheme_is_shown(url: str, shown: str) -> None:
    assert play(read_push_url(f" {url}\n")) == (url, shown)


@pytest.mark.parametrize(
    "url", ["", SECRET, f"nothing://{SECRET}", f"json://x\x00{SECRET}", f"json://{SECRET * 1000}", "slack://"]
)
def test_what_apprise_does_not_know_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(NotATarget) as refused:
        play(read_push_url(url))
    assert SECRET not in str(refused.value) + refused.value.remedy


def test_without_the_extra_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push, "find_spec", lambda _: None)
    with pytest.raises(NotATarget, match="Apprise is not installed") as refused:
        play(read_push_url("json://hook.example/"))
    assert refused.value.remedy == "pip install 'restante[apprise]'"
    receiver = Receiver()
    assert pushed(receiver).text == "Apprise is not installed: pip install 'restante[apprise]'"
    assert receiver.connections == 0


def test_nothing_of_apprise_is_loaded_until_it_is_wanted() -> None:
    async def loaded() -> bytes:
        program = "import sys, restante.app, restante.cli.application; print('apprise' in sys.modules)"
        import sys  # noqa: PLC0415

        process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0]

    assert play(loaded()) == b"False\n"
