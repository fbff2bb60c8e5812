"""The probe for CHUNKING: the way that each kind of server gets."""

import pytest

from restante.smtp.chunking_probe import PROBE_STEPS, REST_STEPS, ChunkingProbe, SendingMode
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke
from tests.smtp.client_talk import CHUNKING_OFFERED, PROBED, ClientTalk
from tests.smtp.test_transaction_window import OPENED, short_mail


def test_a_server_that_takes_a_refused_chunk_for_commands_gets_data() -> None:
    talk = ClientTalk(*short_mail(2)).transcript(
        CHUNKING_OFFERED,
        PROBED,
        "S: 250 OK\nS: 502 missing RCPT\nS: 500 what?\nS: 500 what?\nS: 503 nested MAIL\nS: 250 OK",
        OPENED,
        "C: DATA",
    )
    assert not talk.session.runs_ahead


@pytest.mark.parametrize(
    "replies",
    [
        "S: 250 OK\nS: 250 taken",
        "S: 250 OK\nS: 354 go",
        "S: 354 OK",
        "S: 250 OK\nS: 503 no\nS: 250 OK\nS: 250 OK\nS: 250 one too many",
        "S: 250 OK\nS: 503 no\nS: 500 what?\nS: 500 what?\nS: 250 OK\nS: 500 still wrong",
    ],
)
def test_nonsense_to_the_probe_voids_the_session(replies: str) -> None:
    with pytest.raises(PeerBroke):
        ClientTalk().transcript(CHUNKING_OFFERED, PROBED, replies)


@pytest.mark.parametrize("version", ["4.88", "4.89", "4.92.3", "4.95"])
def test_exim_with_faults_in_chunking_gets_data(version: str) -> None:
    ClientTalk(*short_mail(1)).transcript(
        CHUNKING_OFFERED.replace(
            "220 p.example ESMTP", f"220 p.example ESMTP Exim {version} Sat, 21 Nov"
        ),
        OPENED,
        "C: DATA",
    )


@pytest.mark.parametrize("version", ["4.87", "4.96", "4.99.1", "5.88"])
def test_other_versions_are_probed(version: str) -> None:
    greeting = f"220 p.example ESMTP Exim {version} Sat, 21 Nov"
    ClientTalk().transcript(CHUNKING_OFFERED.replace("220 p.example ESMTP", greeting), PROBED)


def test_without_pipelining_nothing_runs_ahead() -> None:
    ClientTalk(*short_mail(1)).transcript(
        CHUNKING_OFFERED.replace("250-PIPELINING", "250-HELP"), "C: MAIL FROM:<a@a.example>"
    )


def judged(*codes: int, enhanced: str = "") -> tuple[ChunkingProbe, object]:
    """Return a probe and its result after replies in their order."""
    probe, steps, result = ChunkingProbe(), list(PROBE_STEPS), None
    for code in codes:
        text = f"{enhanced.replace('x', str(code)[0])} words" if enhanced else "words"
        result = probe.take(steps.pop(0), ServerReply(code, (text.encode(),)))
        if isinstance(result, tuple):
            steps += result
    return probe, result


@pytest.mark.parametrize(
    ("codes", "way"),
    [
        ((250, 503, 250, 250), SendingMode.AHEAD),
        ((250, 503, 503, 250), SendingMode.AHEAD_WITH_RSET),
        ((550, 503, 550, 250), SendingMode.AHEAD_WITH_RSET),
        ((250, 503, 500, 500), REST_STEPS),
        ((250, 502, 500, 500, 503, 250), SendingMode.DATA),
        ((250, 502, 500, 500, 503), None),
        ((250, 503, 250), None),
    ],
)
def test_the_replies_show_the_way(codes: tuple[int, ...], way: object) -> None:
    assert judged(*codes)[1] == way


@pytest.mark.parametrize(("enhanced", "has_codes"), [("", False), ("x.1.0", True)])
def test_enhanced_codes_are_noticed(enhanced: str, *, has_codes: bool) -> None:
    assert judged(250, 503, 250, enhanced=enhanced)[0].has_codes is has_codes


def test_a_server_that_answers_nothing_at_the_end_is_out_of_step() -> None:
    with pytest.raises(PeerBroke, match="no reply to the probe for CHUNKING"):
        judged(250, 502, 500, 500, 503, 500)
