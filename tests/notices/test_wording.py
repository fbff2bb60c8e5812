"""Any text of strangers in a name or reply leaves JSON, mail and log valid, on one line."""

import json
from dataclasses import fields, replace
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.notices.mail_sender import make_letter
from restante.notices.notice_language import KIND_MEANINGS, MAX_TEXT, clean
from restante.notices.rules import RULES, news_in
from restante.notices.wording import as_json, as_text
from restante.telemetry.event_fields import example
from restante.telemetry.events import DrainFinished, Event
from restante.tenancy.notice import (
    OF_ACCOUNTS,
    OF_THE_SERVER,
    Notice,
    NoticeKind,
)
from tests.notices.scene import notice
from tests.wire import NOW

HOSTNAME = "mx2.example.net"
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
    event = example(kind, **({"end": "given up", "refused": 2} if kind is DrainFinished else {}))
    texts = {
        each.name: text
        for each in fields(event)
        if isinstance(getattr(event, each.name), str) and each.name not in _OF_OURS
    }
    return replace(event, **texts)


def notices(text: str) -> list[Notice]:
    return [notice(news=news) for kind in RULES for news in news_in(filled(kind, text), NOW)]


def test_every_kind_has_a_rule() -> None:
    told = {one.news.kind for one in notices("x")} | {
        one.kind for one in news_in(example(DrainFinished), NOW)
    }
    assert (
        told
        == OF_ACCOUNTS | OF_THE_SERVER
        == set(NoticeKind) - {NoticeKind.TEST}
        == set(KIND_MEANINGS) - {"test"}
    )


@given(HOSTILE)
def test_whatever_comes_is_one_short_line_of_utf8(text: str) -> None:
    line = clean(text)
    assert line.encode("utf-8").decode() == line
    assert line.isprintable()
    assert len(line) <= MAX_TEXT


@given(HOSTILE)
def test_a_body_is_one_json_object_in_ascii(text: str) -> None:
    for one in notices(text):
        body = as_json(one, HOSTNAME)
        assert body.isascii()
        assert b"\n" not in body
        facts = json.loads(body)
        assert set(facts) == {
            "id",
            "type",
            "timestamp",
            "server",
            "account",
            "about",
            "text",
            "held_back",
            "details",
        }
        json.dumps(facts, ensure_ascii=False).encode("utf-8")  # no half of a pair is left


@given(HOSTILE)
def test_a_letter_has_its_own_fields_and_no_others(text: str) -> None:
    for one in notices(text):
        raw = make_letter(one, "ops@example.org", HOSTNAME)
        assert b"\n" not in raw.replace(b"\r\n", b"")
        assert b"\r" not in raw.replace(b"\r\n", b"")
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert raw.isascii()
        letter = message_from_bytes(raw, policy=policy.default)
        assert not letter.defects
        assert sorted(name.lower() for name in letter) == [
            "auto-submitted",
            "content-transfer-encoding",
            "content-type",
            "date",
            "from",
            "message-id",
            "mime-version",
            "subject",
            "to",
        ]
        assert letter["To"] == "<ops@example.org>" or letter["To"] == "ops@example.org"
        assert "\n" not in letter["Subject"]
        assert letter["Subject"].startswith(f"[restante] {one.news.kind}:")


@given(HOSTILE)
def test_no_text_makes_a_line_of_its_own_in_a_letter(text: str) -> None:
    harmless = {one.news.kind: one for one in notices("x")}
    for one in notices(text):
        lines = as_text(one, HOSTNAME).split("\n")
        assert all(line.isprintable() for line in lines)
        assert len(lines) <= len(as_text(harmless[one.news.kind], HOSTNAME).split("\n"))


def test_a_letter_reads_well() -> None:
    [news] = news_in(example(DrainFinished, end="given up", **DRAIN), NOW)
    letter = message_from_bytes(
        make_letter(notice(news=news, held_back=2), "ops@example.org", HOSTNAME)
    )
    payload = letter.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == (
        "The drain of acme.example was given up; 12 messages stay held. patience is over\n"
        "\n"
        "Of this 2 more happened meanwhile and were not told.\n"
        "\n"
        "kind         drain-given-up\n"
        "when         2027-01-15T08:00:00.000Z\n"
        "account      acme\n"
        "domain       acme.example\n"
        "destination  mail.acme.example:25\n"
        "delivered    3\n"
        "refused      0\n"
        "held         12\n"
        "reason       patience is over\n"
        "\n"
        "From mx2.example.net; which notices come here, the operator of that server has set.\n"
    )


DRAIN: dict[str, Any] = {
    "domain": "acme.example",
    "account": "acme",
    "destination": "mail.acme.example:25",
    "delivered": 3,
    "refused": 0,
    "held": 12,
    "reason": "patience is over",
}


@pytest.mark.parametrize(
    ("end", "delivered", "refused", "kinds"),
    [
        ("finished", 3, 0, ["drain-finished"]),
        ("finished", 3, 2, ["drain-finished", "delivery-refused"]),
        ("finished", 0, 2, ["delivery-refused"]),
        ("finished", 0, 0, []),
        ("given up", 0, 0, ["drain-given-up"]),
        ("refused", 0, 9, ["delivery-refused"]),
        ("stopped", 3, 0, []),
    ],
)
def test_what_the_end_of_a_drain_tells(
    end: str, delivered: int, refused: int, kinds: list[str]
) -> None:
    given = {**DRAIN, "end": end, "delivered": delivered, "refused": refused}
    found = news_in(example(DrainFinished, **given), NOW)
    assert [str(news.kind) for news in found] == kinds


def test_an_address_outside_ascii_gets_a_letter_of_its_own_kind() -> None:
    raw = make_letter(notice(), "büro@example.org", HOSTNAME)
    assert "To: <büro@example.org>".encode() in raw
