"""The message of a drill: nobody answers it, and it is found by its Message-ID."""

from datetime import UTC, datetime
from email import message_from_bytes

from restante.readiness.drill_message import DrillMessage


def test_it_asks_for_no_answer_and_names_the_drill() -> None:
    at = datetime(2026, 11, 30, 13, 0, tzinfo=UTC)
    made = DrillMessage("0a1b", "a.example", "mx2.example.net", "postmaster@a.example", at)
    assert b"\n" not in made.content.replace(b"\r\n", b"")
    parsed = message_from_bytes(made.content)
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Subject"] == "Restante drill 0a1b"
    assert parsed["Message-ID"] == made.message_id == "<drill.0a1b@mx2.example.net>"
    assert parsed["Date"] == "Mon, 30 Nov 2026 13:00:00 +0000"
    assert max(map(len, made.content.split(b"\r\n"))) < 100
