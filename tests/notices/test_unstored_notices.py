"""Notices that the store cannot keep any more are sent to their channels, once."""

import asyncio
from dataclasses import replace

from restante.notices.notice_inbox import NoticeInbox
from restante.notices.unstored_notices import MOST, send_unstored
from restante.store.live_directory import LiveDirectory
from restante.store.memory import MemoryStore
from restante.telemetry.event_fields import example
from restante.telemetry.events import Event, MessageDamaged, ServerFailing
from restante.tenancy.model import Account
from restante.tenancy.notice import OF_ACCOUNTS, OF_THE_SERVER, Channel, ChannelTransport
from tests.admin.admin_world import FakeTransports
from tests.wire import NOW, audit


def sent(*events: Event, transports: FakeTransports | None = None) -> list[tuple[str, str, str]]:
    """The notices sent after these events: channel, kind, text."""
    transports = transports or FakeTransports()

    async def main() -> None:
        store = MemoryStore()
        await store.records.put_account(Account("alpha", NOW), audit())
        for account, kinds in (("", OF_THE_SERVER), ("alpha", OF_ACCOUNTS)):
            channel = Channel(
                0, account, account or "ops", ChannelTransport.WEBHOOK, "", b"", kinds, NOW
            )
            await store.records.put_channel(channel, audit())
        directory = LiveDirectory(store.records)
        await directory.refresh()
        inbox = NoticeInbox(lambda: NOW)
        for event in events:
            inbox.hear(event)
        await send_unstored(inbox, directory, transports, lambda: NOW)
        assert inbox.topics == {}

    asyncio.run(main())
    return [
        (channel.name, str(notice.facts.kind), notice.facts.text)
        for channel, notice in transports.sent
    ]


def test_the_operator_hears_that_the_server_leaves() -> None:
    [(channel, kind, text)] = sent(
        example(ServerFailing, reason="reading: database disk image is malformed")
    )
    assert (channel, kind) == ("ops", "server-failing")
    assert "database disk image is malformed" in text


def test_an_account_hears_of_its_own_message_and_the_operator_of_all() -> None:
    damaged = example(MessageDamaged, domain="alpha.example", account="alpha")
    found = sent(damaged, replace(damaged, account="beta"))
    assert [(channel, kind) for channel, kind, _ in found] == [
        ("alpha", "message-damaged"),
        ("ops", "damage-found"),
    ]


def test_a_channel_that_fails_keeps_no_other_back_and_a_flood_has_an_end() -> None:
    class Broken(FakeTransports):
        async def send(self, channel, notice):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            if channel.name == "alpha":
                raise RuntimeError
            return await super().send(channel, notice)

    damaged = [
        example(MessageDamaged, account="alpha", domain=f"{number}.example")
        for number in range(2 * MOST)
    ]
    found = sent(example(ServerFailing), *damaged, transports=Broken())
    assert "server-failing" in {kind for _, kind, _ in found}
    assert len(found) <= MOST
