"""Refused mail in groups by the primary's reply."""

import asyncio
import re

import pytest

from restante.admin import refusal_groups
from restante.mail.message import message_name
from tests.admin.admin_world import AdminWorld
from tests.web.portal.visitors import ALPHA, BETA, after, hosting, visit


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
    [domains, _] = re.findall(r'name="group_domains" value="([^"]+)"', text)
    form_of_group = {**form, "group_reply": shown, "group_domains": domains}
    asked = visit(admin, "/queue/confirm", ALPHA, form=form_of_group).text
    assert "such as 550 5.7.1 rate limit" in asked
    assert "refused mail of alpha.example with the same reply" in asked
    assert "that you ticked" not in asked
    done = visit(admin, "/queue/carry-out", ALPHA, form=form)
    told = after(admin, done)
    assert "2 messages were held again." in told
    assert "rate limit" not in visit(admin, "/refused", ALPHA).text
    assert "Nothing is refused" in visit(admin, "/refused", BETA).text


async def refuse_five(admin: AdminWorld) -> None:
    for number in range(1, 6):
        await admin.hold(number, 1, f"u{number}@alpha.example")
        await admin.refuse(number, 1, f"u{number}@alpha.example", "550 5.7.1 rate limit")


def test_a_large_group_is_counted_whole_and_acted_on_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refusal_groups, "MAX_NAMES", 2)
    admin = hosting()
    asyncio.run(refuse_five(admin))
    text = visit(admin, "/refused", ALPHA).text
    assert "<b>5 messages</b>, alpha.example: 5" in text
    assert "Each press acts on the oldest 2 of them." in text
    assert f'name="names" value="{message_name(1)} {message_name(2)}"' in text


def test_the_page_counts_the_oldest_at_first_and_all_on_demand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("restante.admin.held_mail.PAGE", 2)
    monkeypatch.setattr("restante.web.portal.refused_page.AT_FIRST", -1.0)  # one page of the store
    admin = hosting()
    asyncio.run(refuse_five(admin))
    text = visit(admin, "/refused?domain=alpha.example", ALPHA).text
    assert "<b>2 messages</b>" in text
    [more] = re.findall(r'<a href="([^"]+)">Count all</a>', text)
    whole = visit(admin, more.replace("&amp;", "&"), ALPHA).text
    assert "<b>5 messages</b>" in whole
    assert "Count all" not in whole
    assert "may be more" not in whole
