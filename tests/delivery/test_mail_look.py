"""A look whether a destination would take mail from us."""

import pytest

from restante.delivery.attempt_end import AttemptKind
from restante.delivery.dial_plan import find_dial_plan
from restante.delivery.mail_look import judged, look_with_mail
from restante.smtp.peer_replies import ServerReply
from tests.delivery.scripted_primary import CLOSE, TARPIT, Script, ScriptedPrimary
from tests.delivery.swift_loop import run_swiftly
from tests.delivery.world import World


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("250 2.1.5 OK", None),
        ("550 5.1.1 no such user", None),
        ("450 4.7.1 greylisted", None),
        ("450 greylisted", None),
        ("554 5.7.1 listed", AttemptKind.REFUSING),
        ("550 no", AttemptKind.REFUSING),
        ("451 4.7.1 Service unavailable", AttemptKind.STOPPED),
        ("451 4.3.0 disk", AttemptKind.STOPPED),
        ("421 4.3.2 busy", AttemptKind.STOPPED),
    ],
)
def test_the_reply_to_rcpt_shows_whether_our_mail_would_be_taken(
    reply: str, kind: AttemptKind | None
) -> None:
    code, _, words = reply.partition(" ")
    stop = judged(ServerReply(int(code), (words.encode(),)), "b@b.example")
    assert (stop and stop.kind) == kind
    assert stop is None or words in stop.reason


def looked(script: Script, mailbox: str = "b@b.example") -> tuple[str, list[str]]:
    """Return the reason to end, and the commands."""
    primary = ScriptedPrimary(script)
    reasons = list[str]()

    async def main() -> None:
        world = World()
        async with primary, world.dispatcher():
            domain = await world.host(primary.port)
            context = world.new_context()
            plan = await find_dial_plan(domain, context)
            stop = await look_with_mail(plan, mailbox, context)
            reasons.append(stop.reason if stop is not None else "")

    run_swiftly(main())
    return reasons[0], primary.commands


def test_a_look_asks_about_the_mailbox_and_sends_nothing() -> None:
    reason, commands = looked({})
    assert reason == ""
    assert commands == [
        "EHLO mx2.example.net",
        "MAIL FROM:<>",
        "RCPT TO:<b@b.example>",
        "QUIT",
    ]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ({"RCPT": CLOSE}, "closed"),
        ({"MAIL": "421 4.3.2 busy"}, "421 4.3.2 busy"),
        ({"RCPT": TARPIT}, "timed out"),
        ({"GREETING": "554 no"}, "554 no"),
    ],
)
def test_without_a_reply_to_rcpt_it_is_in_trouble(script: Script, words: str) -> None:
    assert words in looked(script)[0]


def test_a_mailbox_that_cannot_be_named_is_not_asked_about() -> None:
    reason, commands = looked({}, "bj\u00f6rn@b.example")
    assert reason == ""
    assert commands == ["EHLO mx2.example.net", "QUIT"]
