"""`restante top`: the rates made of successive looks, and their fit on the screen."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from restante.cli import top
from restante.cli.times import span
from restante.cli.top import WINDOW, StatusSamples, TopLine, chosen, screen
from restante.cli.top_keys import TopControls
from tests.admin.admin_world import AdminWorld
from tests.cli.conftest import Command

NOW = 1_760_000_000.0


def moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def domain(name: str, held: int, refused: int = 0, uncertain: int = 0) -> dict[str, Any]:
    return {
        "domain": name,
        "messages": held + refused + uncertain,
        "held": held,
        "refused": refused,
        "uncertain": uncertain,
        "damaged": 0,
        "octets": 4096 * held,
        "oldest_at": moment(NOW - 7200) if held else None,
        "last_request_at": None,
        "primary": {"seen": "unknown", "since": None, "next_probe_at": None, "reason": ""},
        "hold": "until-asked",
    }


def drain(
    name: str,
    delivered: int,
    started_at: float = NOW - 10,
    next_at: float | None = None,
    rate: float = 10.0,
) -> dict[str, Any]:
    return {
        "domain": name,
        "started_at": moment(started_at),
        "delivered": delivered,
        "connections": 3,
        "rate": rate,
        "state": "delivering",
        "next_attempt_at": None if next_at is None else moment(next_at),
        "last_error": "" if next_at is None else "Connection \x1b[2J refused",
    }


def view(at: float, domains: list[dict[str, Any]], *drains: dict[str, Any]) -> dict[str, Any]:
    return {
        "hostname": "mx2.example.net",
        "version": "1",
        "health": {
            "level": "warning",
            "problems": [{"level": "warning", "text": "a restart is needed for user"}],
        },
        "at": moment(at),
        "messages": sum(one["messages"] for one in domains),
        "held": sum(one["held"] for one in domains),
        "refused": sum(one["refused"] for one in domains),
        "uncertain": sum(one["uncertain"] for one in domains),
        "store": {"damaged_messages": 0},
        "octets": 0,
        "reports": {"waiting": 3, "oldest_at": moment(at)},
        "notices": {"waiting": 0, "oldest_at": None},
        "domains": domains,
        "drains": list(drains),
        "listeners": [{"sessions": 4}],
    }


def look(looks: StatusSamples, at: float, held: int, *drains: dict[str, Any]) -> TopLine:
    [line] = looks.add(view(at, [domain("alpha.example", held)], *drains))
    return line


def test_the_first_rate_is_as_the_server_says_and_not_since_the_drain_began() -> None:
    waited = drain("alpha.example", 9, started_at=NOW - 306, rate=1.5)
    line = look(StatusSamples(), NOW, 30, waited)
    assert (line.rate, line.left) == (1.5, 20.0)


def test_the_next_rates_are_between_two_looks_at_the_same_drain() -> None:
    looks = StatusSamples()
    look(looks, NOW, 500, drain("alpha.example", 100))
    assert look(looks, NOW + 1, 450, drain("alpha.example", 150)).rate == 50.0
    assert look(looks, NOW + 2, 400, drain("alpha.example", 350)).rate == 125.0
    another = look(looks, NOW + 3, 400, drain("alpha.example", 8, started_at=NOW + 1, rate=4.0))
    assert another.rate == 4.0


def test_a_rate_is_of_the_last_looks_only() -> None:
    looks = StatusSamples()
    for second in range(WINDOW):
        look(looks, NOW + second, 500, drain("alpha.example", 1000 * second))
    for second in range(WINDOW, 2 * WINDOW + 1):
        line = look(looks, NOW + second, 500, drain("alpha.example", 1000 * WINDOW + second))
    assert line.rate == 1.0


def test_where_nothing_moves_no_time_is_left_to_tell() -> None:
    assert look(StatusSamples(), NOW, 500).rate is None
    still = look(StatusSamples(), NOW, 500, drain("alpha.example", 0, rate=0.0))
    assert (still.rate, still.left) == (0.0, None)
    begun = drain("alpha.example", 0, started_at=NOW, rate=0.0)
    assert look(StatusSamples(), NOW, 500, begun).rate == 0.0


def test_a_drain_that_waits_says_until_when() -> None:
    assert (
        look(StatusSamples(), NOW, 5, drain("alpha.example", 0, next_at=NOW + 75)).state
        == "retries in 1m 15s"
    )


def test_drains_come_first_then_who_has_most_and_who_has_nothing_is_left_out() -> None:
    domains = [
        domain("a", 1),
        domain("b", 9),
        domain("c", 0),
        domain("d", 2),
        domain("e", 0, refused=3),
    ]
    lines = StatusSamples().add(view(NOW, domains, drain("d", 1)))
    assert [line.domain for line in lines] == ["d", "b", "e", "a"]


def test_uncertain_mail_has_a_column_where_there_is_some_and_is_named_above() -> None:
    looked = view(NOW, [domain("a", 0, uncertain=3), domain("b", 2)])
    lines = StatusSamples().add(looked)
    assert [line.domain for line in lines] == ["a", "b"]
    text = "\n".join(drawn_view(looked, 120, 24))
    assert "2 messages held, 0 refused, 3 uncertain" in text
    assert "UNCERTAIN" in text
    assert "DAMAGED" not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.4, "0s"),
        (59, "59s"),
        (60, "1m 00s"),
        (3599, "59m 59s"),
        (3600, "1h 00m"),
        (90000, "1d 1h"),
    ],
)
def test_spans_are_short(seconds: float | None, text: str) -> None:
    assert span(seconds) == text


def drawn(count: int, width: int, height: int) -> list[str]:
    domains = [domain(f"customer-{number:02}.example", 1000 + number) for number in range(count)]
    drains = [
        drain(f"customer-{number:02}.example", 5, next_at=NOW + 5)
        for number in range(min(count, 2))
    ]
    return drawn_view(view(NOW, domains, *drains), width, height)


def drawn_view(looked: dict[str, Any], width: int, height: int) -> list[str]:
    console = Console(width=width, height=height, file=StringIO())
    with console.capture() as captured:
        console.print(screen(looked, StatusSamples().add(looked), width, height, TopControls()))
    return captured.get().splitlines()


@pytest.mark.parametrize(("width", "height"), [(200, 50), (80, 24), (60, 15), (40, 12)])
def test_it_fits_the_screen_and_no_domain_is_cut(width: int, height: int) -> None:
    lines = drawn(60, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert any("customer-00.example" in line for line in lines)
    assert any("HELD" in line and "LEFT" in line for line in lines)


def test_the_head_tells_what_waits_to_be_told_and_no_more() -> None:
    assert drawn(1, 120, 20)[3].rstrip().endswith("sessions: 4; waiting: 3 reports")


def test_names_that_do_not_fit_are_counted() -> None:
    assert any("… and 48 more domains" in line for line in drawn(60, 100, 24))
    assert any("… and 1 more domain;" in line for line in drawn(13, 100, 24))
    assert not any("more domains" in line for line in drawn(12, 100, 24))


def test_columns_leave_in_order_of_need() -> None:
    def titles(width: int) -> list[str]:
        return next(line.split() for line in drawn(3, width, 20) if "HELD" in line)

    assert titles(200) == [
        "DOMAIN",
        "HELD",
        "SIZE",
        "REFUSED",
        "OLDEST",
        "ASKED",
        "FOR",
        "DRAIN",
        "CONN",
        "MSG/S",
        "LEFT",
    ]
    assert "CONN" not in titles(80)
    assert "DRAIN" in titles(80)
    assert titles(50) == ["DOMAIN", "HELD", "MSG/S", "LEFT"]


def test_words_of_a_destination_do_not_control_the_screen() -> None:
    assert any("Connection \\x1b[2J refused" in line for line in drawn(1, 100, 24))


def test_once_and_json_need_no_terminal(admin: AdminWorld, command: Command) -> None:
    once = command("top", "--once")
    assert (once.code, once.err) == (0, "")
    assert "alpha.example" in once.out
    assert "delivering" in once.out
    [line] = json.loads(command("top", "--json").out)["domains"]
    assert (line["domain"], line["held"], line["refused"]) == ("alpha.example", 1, 1)


def test_into_a_pipe_it_is_shown_once(admin: AdminWorld, command: Command) -> None:
    assert admin.server
    piped = command("top")
    assert (piped.code, piped.err) == (0, "")
    assert piped.out.count("alpha.example") == 1


def test_without_a_server_there_is_nothing_to_watch_but_it_can_be_shown(
    installation: object, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(top, "is_on_terminal", lambda: True)
    watched = command("top")
    assert (watched.code, watched.out) == (69, "")
    assert "no server is running" in watched.err
    assert command("top", "--once").code == 0


def test_lines_are_filtered_and_sorted_as_the_keys_say() -> None:
    domains = [domain("beta.example", 5), domain("alpha.example", 1), domain("alpha.test", 9)]
    lines = StatusSamples().add(view(NOW, domains))
    assert [line.domain for line in chosen(lines, TopControls(order="name"))] == [
        "alpha.example",
        "alpha.test",
        "beta.example",
    ]
    assert [line.domain for line in chosen(lines, TopControls(order="held", filter="alpha"))] == [
        "alpha.test",
        "alpha.example",
    ]


def test_a_suspended_domain_says_so_where_no_drain_runs() -> None:
    suspended = domain("alpha.example", 5) | {"hold": "suspended"}
    assert any("suspended" in line for line in drawn_view(view(NOW, [suspended]), 80, 24))
    draining = view(NOW, [suspended], drain("alpha.example", 1))
    assert not any("suspended" in line for line in drawn_view(draining, 80, 24))


def test_the_filter_ignores_case() -> None:
    lines = StatusSamples().add(view(NOW, [domain("alpha.example", 5)]))
    assert chosen(lines, TopControls(filter="ALPHA"))
