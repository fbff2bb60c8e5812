"""A notice by mail has its own fields, whatever strangers wrote, and reads well."""

from email import message_from_bytes, policy
from typing import Any

from hypothesis import given

from restante.notices.notice_mail import make_mail
from restante.notices.notice_rules import notice_facts_in
from restante.telemetry.event_fields import example
from restante.telemetry.events import DrainFinished
from tests.notices.scene import notice
from tests.notices.strangers import HOSTILE, notices
from tests.wire import NOW

HOSTNAME = "mx2.example.net"


@given(HOSTILE)
def test_a_mail_has_its_own_fields_and_no_others(text: str) -> None:
    for one in notices(text):
        raw = make_mail(one, "ops@example.org", HOSTNAME)
        assert b"\n" not in raw.replace(b"\r\n", b"")
        assert b"\r" not in raw.replace(b"\r\n", b"")
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        assert raw.isascii()
        mail = message_from_bytes(raw, policy=policy.default)
        assert not mail.defects
        assert sorted(name.lower() for name in mail) == [
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
        assert mail["To"] == "<ops@example.org>" or mail["To"] == "ops@example.org"
        assert "\n" not in mail["Subject"]
        assert mail["Subject"].startswith(f"[restante] {one.facts.kind}:")


def test_a_mail_reads_well() -> None:
    [facts] = notice_facts_in(example(DrainFinished, end="given-up", **DRAIN), NOW)
    mail = message_from_bytes(
        make_mail(notice(facts=facts, held_back=2), "ops@example.org", HOSTNAME)
    )
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == (
        "The drain of acme.example was given up; 12 messages stay held. patience is over\n"
        "\n"
        "2 more notices of this kind were held back.\n"
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
        "From mx2.example.net, whose channels decide which notices you get.\n"
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


def test_an_address_outside_ascii_gets_a_mail_of_its_own_kind() -> None:
    raw = make_mail(notice(), "büro@example.org", HOSTNAME)
    assert "To: <büro@example.org>".encode() in raw
