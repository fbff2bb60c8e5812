"""Delivery reports, read back by the standard library's `email`, which shares none of our code."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP, SMTPUTF8
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.dsn.report_text import ReportingMta, header_section, make_report, status_of
from restante.mail.delivery_report import NewReport, ReportAction, ReportedRecipient, ReportFacts
from restante.mail.dsn_request import DsnRequest, Notify, RecipientRequest, Ret
from restante.mail.envelope import Envelope
from restante.mail.message import ContentFile, HeldMessage, message_name

HEADER = (
    b"Received: from a.example\r\n\tby mx2.example.net id 1; now\r\nSubject: hello\r\n there\r\n"
)
CONTENT = HEADER + b"\r\nThe body.\r\n"
ANNA, BERT = "anna@b.example", "bert@b.example"
NO_USER = "550 5.1.1 no such user"
TAKEN_AT = 1_800_000_000.0


def mta() -> ReportingMta:
    tokens: Iterator[int] = count(1)
    return ReportingMta("mx2.example.net", TAKEN_AT + 60, lambda: f"token{next(tokens)}")


def message(
    *to: str,
    content: bytes = CONTENT,
    reverse_path: str = "sender@a.example",
    dsn: DsnRequest | None = None,
    file: ContentFile | None = None,
) -> HeldMessage:
    return HeldMessage(
        4711, 9, Envelope(reverse_path, to or (ANNA,), dsn=dsn), TAKEN_AT, content, file
    )


def report(
    about: HeldMessage,
    action: ReportAction,
    *recipients: ReportedRecipient,
    remote: str = "",
    beginning: bytes | None = None,
) -> NewReport:
    told = recipients or (ReportedRecipient(ANNA, NO_USER, is_refused=True),)
    return make_report(
        about,
        ReportFacts(action, told, remote),
        about.head if beginning is None else beginning,
        mta(),
    )


def parsed(made: NewReport) -> tuple[EmailMessage, list[Message], list[Message]]:
    """Return the report, its three parts, and the groups of its fields."""
    read = message_from_bytes(made.content, policy=SMTP)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    assert read.get_content_type() == "multipart/report"
    assert read.get_param("report-type") == "delivery-status"
    parts = within(read)
    assert [part.defects for part in parts] == [[], [], []]
    return read, parts, within(parts[1])


def within(whole: Message) -> list[Message]:
    payload = whole.get_payload()
    assert isinstance(payload, list)
    return [part for part in payload if isinstance(part, Message)]


def text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode(part.get_content_charset() or "ascii")


def test_a_failure_is_told_to_people_and_to_programs() -> None:
    asked = DsnRequest(
        None, "QQ+2B314", {ANNA: RecipientRequest(Notify.FAILURE, "rfc822;Anna+3D@b.example")}
    )
    about = message(ANNA, BERT, dsn=asked)
    recipients = (
        ReportedRecipient(ANNA, NO_USER, is_refused=True),
        ReportedRecipient(BERT, "connecting timed out"),
    )
    made = report(about, ReportAction.FAILED, *recipients, remote="mail.b.example")
    read, parts, groups = parsed(made)

    assert (made.about, made.domain_id, made.forward_paths) == (4711, 9, (ANNA, BERT))
    assert (made.reverse_path, made.needs_smtputf8, made.is_8bit) == (
        "sender@a.example",
        False,
        False,
    )
    assert read["From"] == "Mail Delivery System <postmaster@mx2.example.net>"
    assert read["To"] == "sender@a.example"
    assert read["Auto-Submitted"] == "auto-replied"
    assert read["Message-ID"].endswith("@mx2.example.net>")
    assert read["Date"].datetime.timestamp() == TAKEN_AT + 60
    assert [dict(group.items()) for group in groups] == [
        {
            "Original-Envelope-Id": "QQ+314",
            "Reporting-MTA": "dns; mx2.example.net",
            "Arrival-Date": "Fri, 15 Jan 2027 08:00:00 +0000",
        },
        {
            "Original-Recipient": "rfc822; Anna=@b.example",
            "Final-Recipient": f"rfc822; {ANNA}",
            "Action": "failed",
            "Status": "5.1.1",
            "Remote-MTA": "dns; mail.b.example",
            "Diagnostic-Code": f"smtp; {NO_USER}",
        },
        {"Final-Recipient": f"rfc822; {BERT}", "Action": "failed", "Status": "5.4.7"},
    ]
    words = text(parts[0])
    for expected in (
        ANNA,
        BERT,
        NO_USER,
        "could not hand over",
        "connecting timed out",
        message_name(4711),
    ):
        assert expected in words
    assert parts[2].get_content_type() == "text/rfc822-headers"
    assert parts[2].get_payload() == HEADER.decode()


@pytest.mark.parametrize(
    ("action", "reply", "status", "words"),
    [
        (ReportAction.DELAYED, "451 4.3.2 busy", "4.3.2", "waits"),
        (ReportAction.DELAYED, "connecting timed out", "4.0.0", "waits"),
        (ReportAction.RELAYED, "250 2.0.0 queued", "2.1.9", "was handed over"),
    ],
)
def test_delay_and_handing_over_are_told_with_headers_only(
    action: ReportAction, reply: str, status: str, words: str
) -> None:
    """RFC 3461 §4.3: RET is about failures."""
    made = report(message(dsn=DsnRequest(Ret.FULL)), action, ReportedRecipient(ANNA, reply))
    read, parts, groups = parsed(made)
    assert words in read["Subject"]
    assert (groups[1]["Action"], groups[1]["Status"]) == (str(action), status)
    assert parts[2].get_content_type() == "text/rfc822-headers"


@pytest.mark.parametrize(
    ("reply", "is_refused", "status"),
    [
        (NO_USER, True, "5.1.1"),
        ("554 no", True, "5.0.0"),
        ("550 4.1.1 muddled", True, "5.0.0"),
        ("damaged: does not match its checksum", True, "5.0.0"),
        ("550 5.1.1.9 muddled", True, "5.0.0"),
        ("", False, "5.4.7"),
        ("450 4.2.1 later", False, "5.4.7"),
    ],
)
def test_the_status_is_the_destinations_where_it_fits(
    reply: str, is_refused: bool, status: str
) -> None:
    assert status_of(ReportedRecipient(ANNA, reply, is_refused), ReportAction.FAILED) == status


def test_all_of_a_small_message_comes_back_where_that_was_asked() -> None:
    made = report(message(dsn=DsnRequest(Ret.FULL)), ReportAction.FAILED)
    _, parts, _ = parsed(made)
    assert parts[2].get_content_type() == "message/rfc822"
    assert CONTENT in made.content


@pytest.mark.parametrize("ret", [None, Ret.HDRS])
def test_without_that_wish_the_body_stays_here(ret: Ret | None) -> None:
    assert b"The body" not in report(message(dsn=DsnRequest(ret)), ReportAction.FAILED).content


def test_of_a_large_message_only_the_headers_come_back() -> None:
    large = message(
        content=HEADER[:25], dsn=DsnRequest(Ret.FULL), file=ContentFile("f", 1_000_000, 0)
    )
    _, parts, _ = parsed(report(large, ReportAction.FAILED, beginning=CONTENT))
    assert (parts[2].get_content_type(), parts[2].get_payload()) == (
        "text/rfc822-headers",
        HEADER.decode(),
    )


def test_a_header_section_that_is_cut_off_ends_with_a_whole_line() -> None:
    assert header_section(b"A: 1\r\nB: 2\r\nC: ") == b"A: 1\r\nB: 2\r\n"


def test_an_8_bit_body_comes_back_as_it_is() -> None:
    content = HEADER + b"\r\n\xe9\r\n"
    made = report(message(content=content, dsn=DsnRequest(Ret.FULL)), ReportAction.FAILED)
    _, parts, _ = parsed(made)
    assert parts[2]["Content-Transfer-Encoding"] == "8bit"
    assert made.is_8bit
    assert content in made.content


def test_headers_in_another_character_set_come_back_octet_by_octet() -> None:
    header = b"Subject: caf\xe9\r\n"
    _, parts, _ = parsed(
        report(
            message(content=header + b"\r\nx\r\n", dsn=DsnRequest(Ret.FULL)), ReportAction.FAILED
        )
    )
    assert parts[2].get_content_type() == "text/rfc822-headers"
    assert parts[2].get_payload(decode=True) == header


UTF8_HEADER = "Subject: Grüße\r\n".encode()
UTF8_PATH = "änna@b.example"


def test_to_an_ascii_reverse_path_everything_goes_in_ascii() -> None:
    """RFC 6533 §3, §4.5: then any server can take it."""
    dsn = DsnRequest(None, "", {UTF8_PATH: RecipientRequest(None, "utf-8;\\x{E4}nna@b.example")})
    about = message(UTF8_PATH, content=UTF8_HEADER + b"\r\nx\r\n", dsn=dsn)
    made = report(
        about, ReportAction.FAILED, ReportedRecipient(UTF8_PATH, NO_USER, is_refused=True)
    )
    _, parts, groups = parsed(made)
    assert made.content.isascii()
    assert not made.needs_smtputf8
    assert groups[1]["Final-Recipient"] == "utf-8; \\x{E4}nna@b.example"
    assert groups[1]["Original-Recipient"] == "utf-8; \\x{E4}nna@b.example"
    assert UTF8_PATH in text(parts[0])
    assert parts[2].get_content_type() == "message/global-headers"


def test_to_a_utf_8_reverse_path_it_goes_as_it_is() -> None:
    dsn = DsnRequest(
        Ret.FULL, "", {UTF8_PATH: RecipientRequest(None, "utf-8;\\x{E4}nna@b.example")}
    )
    about = message(
        UTF8_PATH, content=UTF8_HEADER + b"\r\nx\r\n", reverse_path="sönder@a.example", dsn=dsn
    )
    made = report(
        about, ReportAction.FAILED, ReportedRecipient(UTF8_PATH, NO_USER, is_refused=True)
    )
    read = message_from_bytes(made.content, policy=SMTPUTF8)
    assert (made.needs_smtputf8, made.is_8bit) == (True, True)
    assert read["To"] == "sönder@a.example"
    kinds = [part.get_content_type() for part in within(read)]
    assert kinds == ["text/plain", "message/global-delivery-status", "message/global"]
    assert f"Final-Recipient: utf-8; {UTF8_PATH}\r\n".encode() in made.content
    assert f"Original-Recipient: utf-8; {UTF8_PATH}\r\n".encode() in made.content


def test_a_destinations_words_end_no_field() -> None:
    reply = "550 5.7.1 no\r\nBcc: everybody\x1b[31m ü"
    _, _, groups = parsed(
        report(message(), ReportAction.FAILED, ReportedRecipient(ANNA, reply, is_refused=True))
    )
    assert groups[1]["Diagnostic-Code"] == "smtp; 550 5.7.1 no?Bcc: everybody?[31m ?"
    assert "Bcc" not in groups[1]


def test_the_boundary_is_none_of_the_messages_own() -> None:
    """A stranger's message with a boundary in it, even the very one, must not cut the report."""
    guessed = HEADER + b"\r\n--=_token1\r\n--=_token2--\r\n"
    made = report(message(content=guessed, dsn=DsnRequest(Ret.FULL)), ReportAction.FAILED)
    _, parts, _ = parsed(made)
    assert len(parts) == 3
    assert b'boundary="=_token3"' in made.content


@given(
    st.lists(
        st.sampled_from(
            [b"A: b\r\n", b"\r\n", b"--=_token1", b"\xff", b"\xc3\xbc", b".", b"x" * 80]
        ),
        max_size=9,
    ),
    st.sampled_from([None, *Ret]),
    st.sampled_from(ReportAction),
    st.text(max_size=30),
)
def test_whatever_was_sent_the_report_has_its_parts(
    pieces: list[bytes], ret: Ret | None, action: ReportAction, reply: str
) -> None:
    content = HEADER + b"".join(pieces) + b"\r\n"
    about = message(content=content, dsn=DsnRequest(ret))
    made = report(about, action, ReportedRecipient(ANNA, reply, is_refused=True))
    _, parts, groups = parsed(made)
    assert len(parts) == 3
    assert [group["Final-Recipient"] for group in groups[1:]] == [f"rfc822; {ANNA}"]
    assert not [line for line in made.content.split(b"\r\n") if b"\n" in line or b"\r" in line]
