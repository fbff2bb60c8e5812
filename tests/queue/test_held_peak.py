"""Peaks of held mail in slots of time."""

from restante.queue.held_peak import (
    KEPT,
    NARROW,
    WIDE,
    HeldAmount,
    HeldPeak,
    PeakPlace,
    PeakTally,
    merged,
    shown_width,
    stored_width,
)

AT = 1_000_000_800  # a multiple of both widths


def peak(at: int, messages: int, octets: int, width: int = NARROW) -> HeldPeak:
    return HeldPeak(PeakPlace(1, "alpha", width, at), HeldAmount(messages, octets))


def narrow(tally: PeakTally) -> list[HeldPeak]:
    return [one for one in tally.take() if one.place.width == NARROW]


def test_a_slot_has_the_largest_of_its_amounts() -> None:
    tally = PeakTally()
    tally.add(1, "alpha", HeldAmount(3, 500), AT)
    tally.add(1, "alpha", HeldAmount(5, 400), AT + 599)
    tally.add(1, "alpha", HeldAmount(1, 100), AT + 600)
    assert narrow(tally) == [peak(AT, 5, 500), peak(AT + 600, 1, 100)]


def test_an_empty_domain_has_no_peaks() -> None:
    tally = PeakTally()
    tally.add(1, "alpha", HeldAmount(0, 0), AT)
    assert tally.take() == []


def test_refused_mail_alone_has_a_size() -> None:
    tally = PeakTally()
    tally.add(1, "alpha", HeldAmount(0, 70), AT)
    assert narrow(tally) == [peak(AT, 0, 70)]


def test_each_amount_counts_in_slots_of_both_widths() -> None:
    tally = PeakTally()
    tally.add(1, "alpha", HeldAmount(1, 1), AT + 1800)
    assert [(one.place.width, one.place.at) for one in tally.take()] == [
        (NARROW, AT + 1800),
        (WIDE, AT),
    ]


def test_taken_peaks_are_gone() -> None:
    tally = PeakTally()
    tally.add(1, "alpha", HeldAmount(1, 1), AT)
    assert tally.take() != []
    assert tally.take() == []


def test_an_account_that_gets_a_domain_has_its_own_slots() -> None:
    tally = PeakTally()
    tally.add(1, "alpha", HeldAmount(9, 9), AT)
    tally.add(1, "beta", HeldAmount(2, 2), AT)
    assert {(one.place.account, one.held.messages) for one in tally.take()} == {
        ("alpha", 9),
        ("beta", 2),
    }


def test_slots_are_merged_into_wider_ones() -> None:
    peaks = [peak(AT, 5, 10), peak(AT + 600, 2, 30), peak(AT + 1200, 7, 7)]
    assert merged(peaks, 1200) == [peak(AT, 5, 30, 1200), peak(AT + 1200, 7, 7, 1200)]
    assert merged(peaks, NARROW) == peaks


def test_narrow_slots_are_read_while_they_are_kept() -> None:
    assert stored_width(KEPT[NARROW]) == NARROW
    assert stored_width(KEPT[NARROW] + 1) == WIDE


def test_a_long_span_is_shown_in_wider_slots() -> None:
    assert shown_width(3600.0, 600, 300) == 600
    assert shown_width(180_000.0, 600, 300) == 600
    assert shown_width(180_001.0, 600, 300) == 1200
    assert shown_width(1.0, 600, 300) == 600
