"""Times as people read them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from restante.cli.times import last_drain_text, primary_text
from tests.admin.admin_world import NOW


@pytest.mark.parametrize(
    ("seen", "since", "probe", "reason", "text"),
    [
        ("unknown", None, 5, "", "unknown, look in 5s"),
        ("unknown", None, -1, "refused", "unknown, look now"),
        ("up", -60, 30, "", "answers (40s ago)"),
        ("up", -60, 5, "refused", "did not answer 40s ago (refused), look in 5s"),
        ("away", -12_000, -1, "connection refused", "away since 05:33Z (connection refused)"),
        ("away", -864_000, -1, "refused", "away since 2025-09-29 08:53Z (refused)"),
        ("away", -60, 5, "", "away since 08:52Z, answered 40s ago"),
    ],
)
def test_it_is_short(seen: str, since: float | None, probe: float, reason: str, text: str) -> None:
    def at(seconds: float | None) -> str | None:
        return None if seconds is None else datetime.fromtimestamp(NOW + seconds, UTC).isoformat()

    primary = {"seen": seen, "since": at(since), "next_probe_at": at(probe), "reason": reason}
    assert primary_text(primary | {"probed_at": at(-40)}, NOW) == text


ENDED = "finished 5s ago, asked for by operator root"


DRAIN: dict[str, Any] = {
    "end": "finished",
    "ended_at": "2025-10-09T08:53:20Z",
    "requested_by": "operator root",
    "reason": "everything was handed over",
    "delivered": 3,
    "deferred": 0,
    "refused": 0,
    "uncertain": 0,
    "last_error": "",
}
LATER = 1_760_000_005.0


def test_the_last_drain_is_told_with_its_counts() -> None:
    assert last_drain_text(DRAIN, LATER) == f"{ENDED}: everything was handed over; 3 delivered"


def test_a_count_that_the_reason_has_is_not_told_twice() -> None:
    drain = DRAIN | {"reason": "all mail was tried: 1 refused, 2 uncertain", "refused": 1}
    text = last_drain_text(drain | {"uncertain": 2, "last_error": "550 no"}, LATER)
    assert text == f"{ENDED}: {drain['reason']}; 3 delivered; last error: 550 no"


def test_uncertain_mail_is_counted() -> None:
    drain = DRAIN | {"delivered": 0, "uncertain": 2, "reason": "stopped"}
    assert last_drain_text(drain, LATER) == f"{ENDED}: stopped; 2 uncertain"


def test_a_drain_that_was_stopped_by_refusals_names_the_remedy() -> None:
    reason = "20 messages in a row were refused: 550 5.4.1 Access denied"
    text = last_drain_text(DRAIN | {"end": "refused", "reason": reason}, LATER)
    assert reason in text
    assert text.endswith(
        "then `restante queue release --domain DOMAIN` and `restante release DOMAIN`"
    )
