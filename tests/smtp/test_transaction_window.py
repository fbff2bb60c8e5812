"""Pipelining by BDAT, in transcripts: the probe, the window, and faults of servers."""

import pytest

from restante.mail.message import ContentFile, HeldMessage
from restante.queue.recipient_status import RecipientMove
from restante.smtp.client_events import SessionEnding, WindowSettled
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.window_size import FEWEST_MESSAGES
from tests.smtp.client_talk import CHUNKING, CHUNKING_OFFERED, PROBED, ClientTalk, mail

DELIVERED, DEFERRED, REFUSED = (
    RecipientMove.DELIVERED,
    RecipientMove.DEFERRED,
    RecipientMove.REFUSED,
)

EXIM = f"""
    {CHUNKING_OFFERED.strip()}
    {PROBED.strip()}
    S: 250 OK
    S: 503 valid RCPT command must precede BDAT
    S: 503 sender already given
    S: 250 Reset OK
"""
OPENED = """
    C: MAIL FROM:<a@a.example>
    C: RCPT TO:<b@b.example>
"""
SENT = f"""
    {OPENED.strip()}
    C: BDAT 3 LAST
    C: x
"""
TAKEN = """
    S: 250 2.1.0 OK
    S: 250 2.1.5 OK
    S: 250 2.0.0 queued
"""


def short_mail(count: int) -> list[HeldMessage]:
    return [mail(number, content=b"x\r\n") for number in range(1, count + 1)]


def test_whole_transactions_leave_in_one_flight_and_end_together() -> None:
    talk = ClientTalk(*short_mail(3)).transcript(CHUNKING, SENT * 3, TAKEN * 2)
    assert talk.moves == {}, "the window is not whole"
    assert talk.outstanding == [1, 2, 3]
    talk.transcript(TAKEN)
    assert talk.moves == {number: {"b@b.example": DELIVERED} for number in (1, 2, 3)}
    assert talk.events[-1] == WindowSettled(is_whole=True)
    assert talk.outstanding == []


def test_the_window_is_filled_again_when_it_is_settled() -> None:
    talk = ClientTalk(*short_mail(FEWEST_MESSAGES + 1))
    talk.transcript(CHUNKING, SENT * FEWEST_MESSAGES, TAKEN * FEWEST_MESSAGES, SENT)
    assert talk.outstanding == [FEWEST_MESSAGES + 1]


def test_mail_that_comes_later_joins_a_window_with_room() -> None:
    talk = ClientTalk(*short_mail(2)).transcript(CHUNKING, SENT * 2)
    talk.waiting.append(mail(3, content=b"x\r\n"))
    talk.go_on()
    talk.transcript(SENT, TAKEN * 3)
    assert set(talk.moves) == {1, 2, 3}


def test_content_goes_octet_by_octet() -> None:
    """No dot is stuffed, no line end added (RFC 3030 §2)."""
    talk = ClientTalk().transcript(CHUNKING)
    talk.waiting.append(mail(1, content=b".\r\n..\r\nno end"))
    talk.go_on()
    assert talk.session.data_to_send().endswith(b"BDAT 13 LAST\r\n.\r\n..\r\nno end")


def test_an_empty_message_is_an_empty_chunk() -> None:
    talk = ClientTalk(mail(1, content=b""))
    talk.transcript(CHUNKING, OPENED + "    C: BDAT 0 LAST", TAKEN)
    assert talk.moves == {1: {"b@b.example": DELIVERED}}


def test_each_reply_goes_to_its_own_transaction() -> None:
    talk = ClientTalk(*short_mail(4)).transcript(
        CHUNKING,
        SENT * 4,
        "S: 550 5.7.1 no\nS: 503 5.5.1 need MAIL\nS: 503 5.5.1 no recipients",
        "S: 250 OK\nS: 450 4.2.1 later\nS: 554 5.5.1 no valid recipients",
        TAKEN,
        "S: 250 OK\nS: 250 OK\nS: 452 4.3.1 disk full",
    )
    moves = {number: moves["b@b.example"] for number, moves in talk.moves.items()}
    assert moves == {1: REFUSED, 2: DEFERRED, 3: DELIVERED, 4: DEFERRED}
    assert talk.replies[1] == ["550 5.7.1 no"]
    assert talk.replies[4] == ["452 4.3.1 disk full"]
    assert talk.events[-1] == WindowSettled(is_whole=False)


def test_content_that_is_taken_for_nobody_is_no_delivery() -> None:
    talk = ClientTalk(*short_mail(1)).transcript(
        CHUNKING, SENT, "S: 250 OK\nS: 550 no such user\nS: 250 queued"
    )
    assert talk.moves == {1: {"b@b.example": REFUSED}}


# Servers that keep a transaction open


def test_a_server_that_keeps_a_refused_transaction_open_gets_rset_between_those_ahead() -> None:
    taken = "S: 250 OK\nS: 250 Accepted\nS: 250- 3 byte chunk, total 3\nS: 250 OK id={}"
    talk = ClientTalk(*short_mail(3)).transcript(
        EXIM,
        SENT,
        taken.format(1),
        SENT,
        "C: RSET",
        SENT,
        "S: 250 OK\nS: 550 no\nS: 503 no recipients\nS: 250 Reset OK",
        taken.format(2),
    )
    moves = {number: moves["b@b.example"] for number, moves in talk.moves.items()}
    assert moves == {1: DELIVERED, 2: REFUSED, 3: DELIVERED}


def test_it_gets_none_after_a_window_whose_last_message_was_taken() -> None:
    talk = ClientTalk(*short_mail(1)).transcript(EXIM, SENT, TAKEN)
    talk.waiting.extend(short_mail(1))
    talk.go_on()
    talk.transcript(SENT, "S: 250 OK\nS: 550 no\nS: 503 no recipients")
    talk.waiting.extend(short_mail(1))
    talk.go_on()
    talk.transcript("C: RSET", SENT)


def test_a_server_with_a_policy_against_the_null_reverse_path_gets_rset_too() -> None:
    """Whether it keeps transactions open could not be seen."""
    refusing = "S: 550 5.7.1 no bounces\nS: 503 5.5.1 no\nS: 550 5.7.1 no bounces\nS: 250 2.0.0 OK"
    ClientTalk(*short_mail(2)).transcript(CHUNKING_OFFERED, PROBED, refusing, SENT, "C: RSET", SENT)


# Windows that are void


def test_one_reply_too_many_voids_the_whole_window() -> None:
    """With 250 to everything only the end shows that no verdict was where it belonged."""
    talk = ClientTalk(*short_mail(3)).transcript(CHUNKING, SENT * 3)
    with pytest.raises(PeerBroke, match="more replies than commands"):
        talk.transcript(TAKEN * 3, "S: 250 one more")
    assert talk.moves == {}
    assert talk.outstanding == [1, 2, 3]


def test_a_reply_that_fits_nothing_voids_the_whole_window() -> None:
    talk = ClientTalk(*short_mail(3)).transcript(CHUNKING, SENT * 3)
    with pytest.raises(PeerBroke):
        talk.transcript(TAKEN, "S: 354 go ahead")
    assert talk.moves == {}
    assert talk.outstanding == [1, 2, 3]


NO_BDAT = """
    S: 250 2.1.0 OK
    S: 250 2.1.5 OK
    S: 502 5.5.1 no such command
"""


@pytest.mark.parametrize("code", [500, 501, 502, 503, 504])
def test_a_server_that_refuses_every_chunk_as_a_command_gets_none_of_the_verdicts(
    code: int,
) -> None:
    """The messages go by DATA. The probe cannot tell: there the chunk is refused in any case."""
    talk = ClientTalk(*short_mail(2)).transcript(CHUNKING, SENT * 2)
    with pytest.raises(PeerBroke, match="BDAT is offered and refused"):
        talk.transcript(NO_BDAT.replace("502", str(code)) * 2)
    assert talk.moves == {}
    assert talk.outstanding == [1, 2]


def test_where_one_chunk_was_taken_such_a_refusal_concerns_the_message() -> None:
    """Otherwise the others would be sent twice."""
    talk = ClientTalk(*short_mail(2)).transcript(CHUNKING, SENT * 2, TAKEN, NO_BDAT)
    assert set(talk.moves) == {1, 2}


def test_a_chunk_for_nobody_is_no_sign_of_a_server_that_refuses_chunks() -> None:
    unknown = "S: 250 2.1.0 OK\nS: 550 5.1.1 no such user\nS: 503 5.5.1 no valid recipients"
    talk = ClientTalk(*short_mail(1)).transcript(CHUNKING, SENT, unknown)
    assert talk.moves == {1: {"b@b.example": REFUSED}}


def test_421_leaves_what_was_answered_in_full() -> None:
    talk = ClientTalk(*short_mail(3)).transcript(
        CHUNKING, SENT * 3, TAKEN, "S: 250 OK\nS: 421 4.7.0 enough for today"
    )
    assert talk.ending.ending is SessionEnding.BUSY
    assert talk.moves == {1: {"b@b.example": DELIVERED}}
    assert talk.outstanding == [2, 3]


def test_quit_waits_for_the_window() -> None:
    talk = ClientTalk(*short_mail(2)).transcript(CHUNKING, SENT * 2)
    talk.session.quit()
    talk.transcript(TAKEN * 2, "C: QUIT\nS: 221 bye")
    assert talk.ending.ending is SessionEnding.QUIT
    assert set(talk.moves) == {1, 2}


def test_a_reply_to_a_recipient_never_counts_as_one_to_content() -> None:
    """One 250 too many in front, no reply to the last content: its recipient's text is there."""
    talk = ClientTalk(*short_mail(2)).transcript(CHUNKING, SENT * 2)
    with pytest.raises(PeerBroke, match="cannot be told apart"):
        talk.transcript("S: 250 2.0.0 hello again", TAKEN, "S: 250 2.1.0 OK\nS: 250 2.1.5 OK")
    assert talk.moves == {}
    assert talk.outstanding == [1, 2]


def test_without_enhanced_codes_the_first_message_goes_alone_and_names_tell_content_apart() -> None:
    talk = ClientTalk(*short_mail(3)).transcript(
        EXIM, SENT, "S: 250 OK\nS: 250 Accepted\nS: 250 OK id=1", SENT, "C: RSET", SENT
    )
    with pytest.raises(PeerBroke, match="cannot be told apart"):
        talk.transcript(
            "S: 250 OK\nS: 250 OK\nS: 250 Accepted\nS: 250 OK\nS: 250 OK id=2\nS: 250 OK\nS: 250"
            " Accepted"
        )
    assert set(talk.moves) == {1}


def test_without_enhanced_codes_what_was_said_to_commands_before_tells_a_message_alone() -> None:
    """A window of one: the reply to its content stands where its recipient's would be."""
    talk = ClientTalk(*short_mail(1)).transcript(
        EXIM, SENT, "S: 250 OK\nS: 250 Accepted\nS: 250 OK id=1"
    )
    talk.waiting.extend(short_mail(1))
    talk.go_on()
    with pytest.raises(PeerBroke, match="cannot be told apart"):
        talk.transcript(SENT, "S: 250 hello again\nS: 250 OK\nS: 250 Accepted")
    assert talk.outstanding == [1]


def test_a_server_that_says_the_same_to_everything_gets_one_message_ahead() -> None:
    talk = ClientTalk(*short_mail(3)).transcript(EXIM, SENT)
    with pytest.raises(PeerBroke, match="cannot be told apart"):
        talk.transcript("S: 250 OK\nS: 250 OK\nS: 250 OK")
    assert talk.outstanding == [1]


# Large content


def large(number: int, octets: int) -> HeldMessage:
    return mail(number, content=b"R: x\r\n", file=ContentFile("f", octets, 0))


def test_large_content_waits_for_the_word_on_its_recipients() -> None:
    talk = ClientTalk(large(1, 9_000_000), mail(2)).transcript(CHUNKING, OPENED, "S: 250 OK")
    wanted_early = talk.wants_content
    talk.transcript("S: 250 OK\nC: BDAT 9000006 LAST\nC: R: x")
    assert (wanted_early, talk.wants_content) == (False, True)
    assert not talk.session.can_begin, "content comes first"


def test_large_content_for_nobody_is_not_sent() -> None:
    talk = ClientTalk(large(1, 9_000_000))
    talk.transcript(CHUNKING, OPENED, "S: 250 OK\nS: 550 no\nC: RSET\nS: 250 OK")
    assert talk.moves == {1: {"b@b.example": REFUSED}}


def test_content_from_a_file_runs_ahead_when_it_is_not_large() -> None:
    talk = ClientTalk(large(1, 70_000), mail(2, content=b"x\r\n"))
    talk.transcript(CHUNKING, OPENED, "C: BDAT 70006 LAST\nC: R: x")
    talk.session.send_content(b"y" * 70_000)
    talk.session.end_content()
    assert talk.session.data_to_send() == b"y" * 70_000
    talk.go_on()
    talk.transcript(SENT, TAKEN * 2)
    assert set(talk.moves) == {1, 2}


def test_content_that_is_not_as_long_as_announced_has_no_end() -> None:
    talk = ClientTalk(large(1, 70_000)).transcript(CHUNKING, OPENED, "C: BDAT 70006 LAST\nC: R: x")
    talk.session.send_content(b"too short")
    with pytest.raises(ValueError, match="announced"):
        talk.session.end_content()


def test_a_reply_before_the_end_of_large_content_is_no_delivery() -> None:
    talk = ClientTalk(large(1, 70_000)).transcript(CHUNKING, OPENED, "C: BDAT 70006 LAST\nC: R: x")
    talk.session.send_content(b"half of it")
    talk.session.data_to_send()
    with pytest.raises(PeerBroke):
        talk.receive(b"250 OK\r\n" * 3)
    assert talk.moves == {}
