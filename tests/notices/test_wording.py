"""Any text of strangers in a name or reply leaves JSON, mail and log valid, on one line."""

import json

from hypothesis import given

from restante.notices.wording import as_text, webhook_body
from tests.notices.strangers import HOSTILE, notices

HOSTNAME = "mx2.example.net"


@given(HOSTILE)
def test_a_body_is_one_json_object_in_ascii(text: str) -> None:
    for one in notices(text):
        body = webhook_body(one, HOSTNAME)
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
def test_no_text_makes_a_line_of_its_own_in_a_mail(text: str) -> None:
    harmless = {one.facts.kind: one for one in notices("x")}
    for one in notices(text):
        lines = as_text(one, HOSTNAME).split("\n")
        assert all(line.isprintable() for line in lines)
        assert len(lines) <= len(as_text(harmless[one.facts.kind], HOSTNAME).split("\n"))
