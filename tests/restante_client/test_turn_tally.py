"""Counting messages as they pass: it fits real sessions, and gives up on others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.smtp.chunking_probe import PROBE
from restante_client.turn_tally import TurnTally

GREETED = b"220 local\r\n"


def fed(*parts: tuple[str, bytes]) -> TurnTally:
    tally = TurnTally()
    for side, octets in parts:
        (tally.take_commands if side == "P" else tally.take_replies)(octets)
    return tally


def test_data_and_bdat_are_counted() -> None:
    tally = fed(
        ("C", GREETED),
        ("P", b"EHLO x\r\n"),
        ("C", b"250-local\r\n250 CHUNKING\r\n"),
        ("P", b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n"),
        ("C", b"250 1\r\n250 2\r\n354 go\r\n"),
        ("P", b"QUIT\r\nBDAT 9 LAST\r\n..\r\n.\r\n"),
        ("C", b"250 taken\r\n"),
        ("P", b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 6\r\nQUIT\r\nBDAT 2 LAST\r\n.\n"),
        ("C", b"250\r\n250\r\n250 chunk\r\n250 taken\r\n"),
        ("P", b"QUIT\r\n"),
        ("C", b"221 bye\r\n"),
    )
    assert (tally.delivered, tally.refused, tally.deferred) == (2, 0, 0)
    assert tally.is_exact
    assert tally.is_closed


def test_a_refused_message_is_counted_once() -> None:
    tally = fed(
        ("C", GREETED),
        ("P", b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 1 LAST\r\nx"),
        ("C", b"250 ok\r\n550 5.1.1 no \x1b[31msuch\r\n503 5.5.1 order\r\n"),
        ("P", b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 1 LAST\r\nx"),
        ("C", b"421 busy\r\n503 order\r\n503 order\r\n"),
    )
    assert (tally.delivered, tally.refused, tally.deferred) == (0, 1, 1)
    assert tally.first_refusal == "550 5.1.1 no \\x1b[31msuch"
    assert not tally.is_closed


@pytest.mark.parametrize("mail", [b"250 ok", b"550 5.7.1 no null reverse-path"])
def test_a_trial_without_a_recipient_is_no_message(mail: bytes) -> None:
    """Our own server asks so behind the last message, whether it may send ahead of replies."""
    tally = fed(
        ("C", GREETED),
        ("P", b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n"),
        ("C", b"250 1\r\n250 2\r\n354 go\r\n"),
        ("P", b"x\r\n.\r\n"),
        ("C", b"250 taken\r\n"),
        ("P", PROBE),
        ("C", mail + b"\r\n554 no valid recipients\r\n" + mail + b"\r\n250 ok\r\n"),
        ("P", b"QUIT\r\n"),
        ("C", b"221 bye\r\n"),
    )
    assert (tally.delivered, tally.refused, tally.deferred) == (1, 0, 0)
    assert tally.is_closed


def test_what_does_not_fit_ends_the_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restante_client.turn_tally.MAX_WAITING", 10)
    assert not fed(("C", GREETED), ("C", b"250 what\r\n")).is_exact
    assert not fed(("C", b"hello\r\n")).is_exact
    assert not fed(("P", b"NOOP\r\n" * 11)).is_exact


def test_a_line_without_an_end_costs_no_memory() -> None:
    tally = TurnTally()
    for _ in range(1000):
        tally.take_commands(b"x" * 10_000)
        tally.take_replies(b"2" * 10_000)
    assert len(tally._command) < 1000
    assert len(tally._reply) < 1000


@given(st.lists(st.tuples(st.sampled_from("PC"), st.binary(max_size=60)), max_size=30))
def test_any_octets_are_counted_or_not(parts: list[tuple[str, bytes]]) -> None:
    tally = fed(*parts)
    assert tally.delivered >= 0


@given(st.lists(st.integers(min_value=1, max_value=9), min_size=1, max_size=80))
def test_the_counts_do_not_depend_on_the_pieces(sizes: list[int]) -> None:
    """However TCP and TLS cut a session of two messages."""
    flight = b"MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nBDAT 7 LAST\r\n.\r\n.\r\n." * 2
    replies = b"220-l\r\n220 l\r\n" + b"250 ok\r\n" * 6
    whole = [("P", flight), ("C", replies)]
    pieces = []
    for side, octets in whole:
        rest = octets
        for size in sizes:
            pieces.append((side, rest[:size]))
            rest = rest[size:]
        pieces.append((side, rest))
    assert fed(*pieces).delivered == 2
