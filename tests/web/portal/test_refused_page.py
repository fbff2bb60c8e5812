"""Refused mail in groups by the primary's reply."""

import asyncio
import re
import time

import pytest

from restante.background.loop_slices import TURN_SECONDS
from restante.mail.message import message_name
from restante.web.portal import refused_page
from restante.web.portal.refused_page import kind_of
from tests.web.portal.visitors import ALPHA, BETA, hosting, visit


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("550 5.7.1 <a@x.example> unknown", "550 5.7.1 <b@x.example> unknown"),
        ("550 5.7.1 no mail for a@x.example", "550 5.7.1 no mail for long.name@x.example"),
        ("550 5.7.1 rejected 4fGh12Qw9z", "550 5.7.1 rejected 8kLm34Er2y"),
        ("550-5.7.1 Blocked 192.0.2.1", "550 5.7.1 blocked 198.51.100.7"),
    ],
    ids=["address", "bare address", "queue id", "client"],
)
def test_replies_that_differ_in_names_are_of_one_kind(one: str, other: str) -> None:
    assert kind_of(one) == kind_of(other)


def test_other_replies_are_not() -> None:
    assert kind_of("550 5.7.1 rate limit") != kind_of("550 5.1.1 unknown")


def test_a_long_reply_without_an_address_takes_little_time() -> None:
    started = time.process_time()
    kind_of("550 " + "a" * 100_000)
    kind_of("550 " + "a" * 50_000 + "@")
    assert time.process_time() - started < 1


def test_groups_and_an_action_for_each() -> None:
    admin = hosting()

    async def story() -> None:
        for number in (1, 2, 3):
            await admin.hold(number, 1, f"u{number}@alpha.example")
            reply = "550 5.7.1 rate limit" if number < 3 else "550 5.1.1 <u3@alpha.example> no"
            await admin.refuse(number, 1, f"u{number}@alpha.example", reply)

    asyncio.run(story())
    text = visit(admin, "/refused", ALPHA).text
    names = re.findall(r'name="names" value="([^"]+)"', text)
    assert names == [f"{message_name(1)} {message_name(2)}", message_name(3)]
    form = {"action": "release", "names": names[0], "status": "refused"}
    assert "Release again 2 messages?" in visit(admin, "/queue/confirm", ALPHA, form=form).text
    [shown, _] = re.findall(r'name="group_reply" value="([^"]+)"', text)
    assert '<span class="quiet">such as</span> 550 5.7.1 rate limit' in text
    asked = visit(admin, "/queue/confirm", ALPHA, form={**form, "group_reply": shown}).text
    assert "such as 550 5.7.1 rate limit" in asked
    assert "with the same reply" in asked
    assert "that you ticked" not in asked
    done = visit(admin, "/queue/carry-out", ALPHA, form=form)
    told = visit(admin, done.headers["location"], ALPHA).text
    assert "2 messages were held again." in told
    assert "rate limit" not in visit(admin, "/refused", ALPHA).text
    assert "Nothing is refused" in visit(admin, "/refused", BETA).text


def test_others_get_turns_while_messages_are_grouped(monkeypatch: pytest.MonkeyPatch) -> None:
    admin = hosting()
    turns: list[None] = []
    seen: list[int] = []

    async def refuse() -> None:
        for number in (1, 2, 3):
            await admin.hold(number, 1, "u@alpha.example")
            await admin.refuse(number, 1, "u@alpha.example", "550 5.7.1 rate limit")

    def slow_kind_of(reply: str) -> str:
        seen.append(len(turns))
        asyncio.get_running_loop().call_soon(turns.append, None)
        until = time.perf_counter() + TURN_SECONDS
        while time.perf_counter() <= until:
            pass
        return reply

    asyncio.run(refuse())
    monkeypatch.setattr(refused_page, "kind_of", slow_kind_of)
    assert "rate limit" in visit(admin, "/refused", ALPHA).text
    assert seen == [0, 1, 2]
