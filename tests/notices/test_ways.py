"""What becomes of a notice that cannot leave by the way of its channel."""

import pytest

from restante.notices.attempt import Attempt, End
from restante.notices.service import make_ways
from restante.notices.settings import NoticeSettings
from restante.notices.ways import ChannelSecret
from restante.tenancy.notice import OF_ACCOUNTS, Channel
from restante.tenancy.secrets import Vault
from tests.delivery.world import World
from tests.notices.scene import notice, play
from tests.wire import NOW

VAULT = Vault(bytes(32))
SEALED = ChannelSecret("https://hook.example/").sealed(VAULT, "alpha", "hook")


@pytest.mark.parametrize(
    ("way", "sealed", "text"),
    [
        ("pigeon", SEALED, "this version of Restante knows no way pigeon"),
        (
            "webhook",
            Vault(bytes(31) + b"x").seal("{}", "notice channel alpha/hook"),
            "its secret cannot be opened with this key file",
        ),
        ("webhook", None, "its secret cannot be opened with this key file"),
    ],
    ids=["of a later version", "sealed under another key", "not sealed at all"],
)
def test_what_cannot_be_sent_here_waits(way: str, sealed: bytes | None, text: str) -> None:
    """For a version that knows the way, or the key file that the secret was sealed under."""

    async def story() -> Attempt:
        world = World(vault=VAULT)
        async with world.dispatcher() as dispatcher:
            ways = make_ways(dispatcher.equipment, world.names, NoticeSettings, lambda: 25)
            channel = Channel(1, "alpha", "hook", way, "https://hook.example/", sealed, OF_ACCOUNTS, NOW)
            return await ways.send(channel, notice())

    assert play(story()) == Attempt(End.NOT_NOW, text)
