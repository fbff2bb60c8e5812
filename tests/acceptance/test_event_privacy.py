"""The log of a real server names no person of an account that keeps no full history."""

from __future__ import annotations

import smtplib

import pytest

from tests.acceptance.choosy_primary import ChoosyPrimary
from tests.acceptance.installation import Installation, at
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.sample import message

REPLIES = {
    "carla": "550 5.1.1 carla has left, ask <dora@alpha.example>",
    "emil": "450 4.2.2 emil: mailbox full",
}
PERSONS = ("anna", "berta", "carla", "dora", "emil", "frida", "sender@")


@pytest.mark.parametrize("detail", ["full", "domain", "none"])
def test_a_message_is_followed_by_its_name_and_no_person_is(detail: str) -> None:
    with Installation(delivery={"patience": 0.0}) as restante, ChoosyPrimary(REPLIES) as primary:
        restante.hosts("alpha.example", at(primary), "--recipients", "list", "--unknown", "reject")
        restante.start()
        restante.do("account", "set", "alpha", "--history", detail)
        names = ("anna", "carla", "emil", "frida")
        restante.do("recipient", "add", "alpha.example", *names)
        with smtplib.SMTP("127.0.0.1", restante.mx_port) as client:
            for name in names:
                content = b"Message-ID: <1@sender.example>\r\n" + message("hello")
                client.sendmail("sender@sender.example", f"{name}@alpha.example", content)
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("sender@sender.example", "berta@alpha.example", b"x")
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                client.sendmail("other@other.example", "gerd@nowhere.example", b"x")
        restante.do("release", "alpha.example")
        restante.wait_for_event("drain-finished")
        parked = restante.shown("queue", "list", "alpha.example", "--status", "refused")
        restante.do("queue", "delete", parked[0]["name"], "--reason", "a test")
        eventually(
            lambda: restante.events("record-changed", action="mail-deleted"), what="the deletion"
        )

        log = restante.log_path.read_text()
        shown = {name for name in PERSONS if name in log.replace("gerd@nowhere.example", "")}
        assert shown == (set(PERSONS) if detail == "full" else set())
        held = restante.events("mail-held")
        delivered = restante.events("message-delivered")
        assert {one["message"] for one in delivered} <= {one["message"] for one in held}
        assert len(delivered) == 2
        assert all(one["message_id"] for one in (*held, *delivered))
        [refused] = restante.events("delivery-refused")
        [deferred] = restante.events("delivery-deferred")
        if detail != "full":
            assert (refused["reply"], deferred["reply"]) == ("550 5.1.1", "450 4.2.2")
        unknown = restante.events("recipient-refused")
        assert [one["forward_path"] for one in unknown][1:] == ["<gerd@nowhere.example>"]
        expected = {"full": "<sender@sender.example>", "domain": "<@sender.example>", "none": ""}
        assert {one["reverse_path"] for one in held} == {expected[detail]}
