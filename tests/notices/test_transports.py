"""Notices that cannot be sent by the transport of their channel."""

import pytest

from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.notices.notice_service import make_transports
from restante.notices.notice_settings import NoticeSettings
from restante.notices.transports import ChannelSecret, Transports
from restante.notices.webhook_signature import new_signing_key
from restante.reports.report_settings import ReportSettings
from restante.tenancy.notice import OF_ACCOUNTS, Channel
from restante.tenancy.sealed_secrets import Vault
from tests.delivery.world import World
from tests.notices.scene import notice, play
from tests.notices.test_webhook_transport import Receiver
from tests.wire import NOW

VAULT = Vault(bytes(32))
SEALED = ChannelSecret("https://hook.example/").sealed(VAULT, "alpha", "hook")


@pytest.mark.parametrize(
    ("transport", "sealed", "text"),
    [
        ("pigeon", SEALED, "this version of Restante knows no transport pigeon"),
        (
            "webhook",
            Vault(bytes(31) + b"x").seal("{}", "notice channel alpha/hook"),
            "its secret cannot be opened with this key file",
        ),
        ("webhook", None, "its secret cannot be opened with this key file"),
    ],
    ids=["of a later version", "sealed under another key", "not sealed at all"],
)
def test_a_notice_that_cannot_be_sent_waits(
    transport: str, sealed: bytes | None, text: str
) -> None:
    """For a version that knows the transport, or the key file that the secret was sealed under."""

    async def story() -> NoticeAttempt:
        world = World(vault=VAULT)
        transports = transports_of(world, ReportSettings())
        channel = Channel(
            1, "alpha", "hook", transport, "https://hook.example/", sealed, OF_ACCOUNTS, NOW
        )
        return await transports.send(channel, notice())

    assert play(story()) == NoticeAttempt(NoticeResult.NOT_NOW, text)


def transports_of(world: World, settings: ReportSettings) -> Transports:
    access = world.mail_access(settings)
    return make_transports(
        world.vault,
        world.directory,
        access,
        world.names,
        settings=NoticeSettings,
        now=lambda: world.now,
    )


@pytest.mark.parametrize(
    ("transport", "account", "private_addresses", "connections"),
    [
        ("webhook", "alpha", False, 0),
        ("webhook", "alpha", True, 1),
        ("webhook", "", False, 1),
        ("apprise", "alpha", False, 0),
        ("apprise", "alpha", True, 0),  # json:// is plain HTTP, which is no account's
        ("apprise", "", False, 1),
    ],
)
def test_accounts_reach_public_addresses_alone_unless_the_operator_allows_more(
    transport: str, account: str, private_addresses: bool, connections: int
) -> None:
    receiver = Receiver()

    async def story() -> None:
        world = World(vault=VAULT)
        async with receiver.listening() as port:
            settings = ReportSettings(private_addresses=private_addresses)
            transports = transports_of(world, settings)
            scheme = "http" if transport == "webhook" else "json"
            secret = ChannelSecret(f"{scheme}://127.0.0.1:{port}/", new_signing_key()).sealed(
                VAULT, account, "hook"
            )
            channel = Channel(1, account, "hook", transport, "", secret, OF_ACCOUNTS, NOW)
            attempt = await transports.send(channel, notice())
            assert (attempt.end is NoticeResult.SENT) == bool(connections), attempt

    play(story())
    assert receiver.connections == connections
