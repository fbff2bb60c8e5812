"""Notices as mail: over real sockets on loopback, by the MX records of a table."""

import asyncio

import pytest

from restante.network.late_module import ProgramReplaced
from restante.network.resolver import LookupFailed, MxRecord
from restante.notices.mail_transport import MOST_SECONDS, NOTICE_MAIL, MailSender
from restante.notices.notice_result import NoticeAttempt, NoticeResult
from restante.reports.report_settings import ReportSettings
from tests.delivery.scripted_primary import SILENCE, ScriptedPrimary
from tests.delivery.world import World
from tests.notices.scene import notice

OPS = "ops@a.example"
MX = "mx1.a.example"


def sent(
    host: ScriptedPrimary,
    *,
    to: str = OPS,
    hosting: str = "b.example",
    most_seconds: float = MOST_SECONDS,
) -> NoticeAttempt:
    """Mail a notice; a.example has one MX, at which `host` listens."""
    world = World()

    async def main() -> NoticeAttempt:
        async with host:
            await world.host(25, hosting)
            world.names.mx = {
                "a.example": [MxRecord(10, MX)],
                "nowhere.example": LookupFailed("no", is_temporary=False),
            }
            world.names.table = {MX: ["127.0.0.1"]}
            settings = ReportSettings(port=host.port, private_addresses=True)
            mail_sender = MailSender(world.directory, world.mail_access(settings), most_seconds)
            return await mail_sender.send(to, notice())

    return asyncio.run(main())


def test_it_leaves_from_the_null_reverse_path_to_the_mx_of_its_domain() -> None:
    host = ScriptedPrimary()
    assert sent(host) == NoticeAttempt(NoticeResult.SENT, "250 2.0.0 queued")
    [taken] = host.taken
    assert (taken.reverse_path, taken.forward_paths) == ("", (OPS,))
    assert b"Subject: [restante] mail-after-quiet: alpha.example\r\n" in taken.content


@pytest.mark.parametrize(
    ("reply", "end"),
    [
        ("450 4.2.1 later", NoticeResult.NOT_NOW),
        ("550 5.1.1 nobody of that name", NoticeResult.REFUSED),
    ],
)
def test_the_reply_of_the_host_is_the_result(reply: str, end: NoticeResult) -> None:
    assert sent(ScriptedPrimary({"RCPT": reply})) == NoticeAttempt(end, reply)


def test_a_host_that_takes_its_time_is_left() -> None:
    """Each reply may take minutes; a notice has not so many."""
    attempt = sent(ScriptedPrimary({"RCPT": SILENCE}), most_seconds=0.2)
    assert attempt == NoticeAttempt(NoticeResult.NOT_NOW, "its mail host took too long")


def test_a_domain_that_is_not_there_is_none_later() -> None:
    assert sent(ScriptedPrimary(), to="ops@nowhere.example").end is NoticeResult.REFUSED


@pytest.mark.parametrize("to", [OPS, "ops@A.Example", "postmaster@mx2.example.net"])
def test_nothing_is_mailed_to_ourselves(to: str) -> None:
    host = ScriptedPrimary()
    attempt = sent(host, to=to, hosting="a.example")
    assert attempt == NoticeAttempt(
        NoticeResult.REFUSED, "the address is in a domain whose mail is held here"
    )
    assert host.connections == 0


def test_a_program_that_was_upgraded_mails_later_and_says_why() -> None:
    async def load(module: str) -> None:
        assert module == NOTICE_MAIL
        raise ProgramReplaced

    async def story() -> NoticeAttempt:
        world = World()
        sender = MailSender(world.directory, world.mail_access(ReportSettings()), load=load)
        return await sender.send(OPS, notice())

    assert asyncio.run(story()) == NoticeAttempt(NoticeResult.NOT_NOW, str(ProgramReplaced()))
