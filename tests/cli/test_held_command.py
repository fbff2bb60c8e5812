"""How much mail a domain held over time, on the command line."""

import json

from restante.queue.held_peak import NARROW, WIDE, HeldAmount, HeldPeak, PeakPlace
from tests.admin.admin_world import NOW, AdminWorld, run
from tests.cli.conftest import Command


def keep(admin: AdminWorld, *amounts: int) -> None:
    """Record numbers of messages, ten minutes apart; the last is of now."""
    domain = admin.context.directory.now.domains["alpha.example"]
    first = int(NOW // NARROW - len(amounts) + 1) * NARROW
    peaks = [
        HeldPeak(
            PeakPlace(domain.id, "alpha", width, (first + place * NARROW) // width * width),
            HeldAmount(amount, 1000 * amount),
        )
        for place, amount in enumerate(amounts)
        for width in (NARROW, WIDE)
    ]
    run(admin.store.peaks.record_peaks(peaks))


def test_it_shows_a_bar_for_each_slot(admin: AdminWorld, command: Command) -> None:
    keep(admin, 1200, 600, 1)
    lines = command("domain", "held", "alpha.example").out.splitlines()
    assert [line.count("\u2588") for line in lines[:3]] == [30, 15, 0]
    assert "1,200" in lines[0]
    assert lines[-1] == "The most in each 10m 00s. Times without a line: nothing was held."


def test_lines_fit_a_terminal(admin: AdminWorld, command: Command) -> None:
    keep(admin, 123_456_789, 1)
    shown = command("domain", "held", "alpha.example").out
    assert max(map(len, shown.splitlines())) <= 80


def test_of_one_that_held_nothing_it_says_so(admin: AdminWorld, command: Command) -> None:
    run(admin.host("quiet.example", "alpha"))
    shown = command("domain", "held", "quiet.example").out
    assert shown.startswith("quiet.example held no mail from ")


def test_refused_mail_alone_has_no_bar(admin: AdminWorld, command: Command) -> None:
    run(admin.host("quiet.example", "alpha"))
    domain = admin.context.directory.now.domains["quiet.example"]
    place = PeakPlace(domain.id, "alpha", NARROW, int(NOW // NARROW) * NARROW)
    run(admin.store.peaks.record_peaks([HeldPeak(place, HeldAmount(0, 70))]))
    assert "\u2588" not in command("domain", "held", "quiet.example").out


def test_json_has_the_points(admin: AdminWorld, command: Command) -> None:
    keep(admin, 5, 7)
    view = json.loads(command("domain", "held", "alpha.example", "--json").out)
    assert [point["messages"] for point in view["points"]] == [5, 7]
    assert view["slot_seconds"] == NARROW
