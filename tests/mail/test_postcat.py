from datetime import datetime

import pytest

from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.postcat import is_postcat, read_postcat

ONE = b"""*** ENVELOPE RECORDS deferred/C/C82E ***
message_size:            3427             730               2               0            3427               %d
message_arrival_time: Sun Nov 22 00:49:07 2026
named_attribute: log_ident=C82E
sender: a@sender.example
named_attribute: client_name=unknown
done_recipient: gone@alpha.example
original_recipient: info@alpha.example
recipient: x@alpha.example
recipient: y@beta.example
*** MESSAGE CONTENTS deferred/C/C82E ***
Received: from sender.example
Subject: t

recipient: not.an.envelope@record.example
*** MESSAGE FILE END deferred/D/OTHER ***
*** ENVELOPE RECORDS deferred/D/OTHER ***
*** HEADER EXTRACTED deferred/C/C82E ***
named_attribute: encoding=8bit
recipient: z@alpha.example
*** MESSAGE FILE END deferred/C/C82E ***
"""  # noqa: E501  postcat writes such lines
ASKED = b"""*** ENVELOPE RECORDS E ***
named_attribute: envelope_id=QQ+314
named_attribute: ret_flags=2
sender: a@sender.example
named_attribute: notify_flags=2
named_attribute: dsn_orig_rcpt=rfc822;gone@alpha.example
done_recipient: gone@alpha.example
named_attribute: notify_flags=10
named_attribute: dsn_orig_rcpt=rfc822;Info+x@alpha.example
original_recipient: x@alpha.example
recipient: x@alpha.example
named_attribute: notify_flags=1
named_attribute: dsn_orig_rcpt=rfc822;y@alpha.example
recipient: y@alpha.example
named_attribute: dsn_orig_rcpt=rfc822;z@alpha.example
recipient: z@alpha.example
named_attribute: dsn_orig_rcpt=utf-8;\xc3\xa9+@alpha.example
recipient: w@alpha.example
*** MESSAGE CONTENTS E ***
*** HEADER EXTRACTED E ***
*** MESSAGE FILE END E ***
"""
NULL = (
    b"""*** ENVELOPE RECORDS E ***
sender:%s
recipient: x@alpha.example
*** MESSAGE CONTENTS E ***
*** HEADER EXTRACTED E ***
*** MESSAGE FILE END E ***
"""
    % b" "
)


def test_envelope_and_content_are_read_and_who_has_it_already_is_left_out() -> None:
    [found] = read_postcat(ONE % 0)
    assert found.sender == "a@sender.example"
    assert found.recipients == ("x@alpha.example", "y@beta.example", "z@alpha.example")
    assert found.arrived_at == datetime(2026, 11, 22, 0, 49, 7)  # noqa: DTZ001
    content = (ONE % 0)[found.start : found.end]
    assert content.startswith(b"Received: from")
    assert content.endswith(b"*** ENVELOPE RECORDS deferred/D/OTHER ***\n")
    assert found.dsn is None
    assert not found.needs_smtputf8


def test_smtputf8_is_seen() -> None:
    [found] = read_postcat(ONE % 1)
    assert found.needs_smtputf8


def test_several_in_one_output_are_read_one_by_one() -> None:
    first, second = read_postcat(NULL + ONE % 0)
    assert (first.sender, first.end - first.start, first.recipients) == (
        "",
        0,
        ("x@alpha.example",),
    )
    assert second.name == "deferred/C/C82E"


@pytest.mark.parametrize("cut", [20, 200, 500, 700, 900])
def test_a_stream_that_is_not_whole_is_an_error(cut: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        list(read_postcat((ONE % 0)[: -len(ONE) + cut]))


def test_content_alone_is_no_message() -> None:
    with pytest.raises(ValueError, match="envelope records"):
        list(read_postcat(b"*** MESSAGE CONTENTS E ***\nSubject: x\n"))
    assert not is_postcat(b"Subject: x\n")
    assert is_postcat(NULL)


def test_dsn_parameters_are_read_and_written_as_in_a_command() -> None:
    [found] = read_postcat(ASKED)
    assert found.dsn == DsnRequest(
        Ret.HDRS,
        "QQ+2B314",
        {
            "x@alpha.example": RecipientRequest(
                Notify.SUCCESS | Notify.DELAY, "rfc822;Info+2Bx@alpha.example"
            ),
            "y@alpha.example": RecipientRequest(Notify.NEVER),
            "w@alpha.example": RecipientRequest(None, r"utf-8;\x{E9}+2B@alpha.example"),
        },
    )
