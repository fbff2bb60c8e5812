"""Notices whose every text is a stranger's."""

from dataclasses import fields, replace

from hypothesis import strategies as st

from restante.notices.notice_rules import RULES, notice_facts_in
from restante.telemetry.event_fields import example
from restante.telemetry.events import DrainFinished, Event
from restante.tenancy.notice import (
    Notice,
)
from tests.notices.scene import notice
from tests.wire import NOW

NASTY = [
    "\r\nBcc: all@example.org",
    "\n.\n",
    "\x00",
    "\x1b[31m",
    '"}',
    "\u2028",
    "\ud800",
    "\u202e",
    "=?utf-8?q?x?=",
]


HOSTILE = st.lists(st.sampled_from(NASTY) | st.text(st.characters(), max_size=20)).map(
    "".join
) | st.text(st.characters(), min_size=1000, max_size=3000)


_OF_OURS = ("account", "status", "at_end", "end")


def filled(kind: type[Event], text: str) -> Event:
    """An event with a text in every field that may be a stranger's."""
    event = example(kind, **({"end": "given-up", "refused": 2} if kind is DrainFinished else {}))
    texts = {
        each.name: text
        for each in fields(event)
        if isinstance(getattr(event, each.name), str) and each.name not in _OF_OURS
    }
    lists = {
        each.name: (text,) for each in fields(event) if isinstance(getattr(event, each.name), tuple)
    }
    return replace(event, **texts, **lists)


def notices(text: str) -> list[Notice]:
    return [
        notice(facts=facts) for kind in RULES for facts in notice_facts_in(filled(kind, text), NOW)
    ]
