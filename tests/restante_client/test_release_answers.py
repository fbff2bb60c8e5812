"""Answers of the API: only fields of the right kind are used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from restante_client.https_release import answer_exit, answer_text, end_exit, end_text
from restante_client.release_answers import count_of, read_answers, read_release, trouble_of

ANSWER = {"target": "a.example", "result": "granted", "text": "ok", "suspensions": []}
RELEASE = {"state": "running", "delivered": 1, "left": 4, "rate": 0.5}
STRANGE: list[object] = [
    None,
    True,
    5,
    -1,
    0.5,
    float("nan"),
    float("inf"),
    10**400,
    "x",
    [],
    [1],
    [[]],
    {},
]


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
@pytest.mark.parametrize("name", ["id", "pending", "reason", "suspensions", "result", "new"])
def test_any_value_in_an_answer_is_used_or_left_out(name: str, strange: object) -> None:
    for answer in read_answers([{**ANSWER, name: strange}]) or []:
        assert answer_exit(answer) >= 0
        assert answer_text(answer).startswith("a.example: ok")
    assert read_answers(strange) in (None, [])


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
@pytest.mark.parametrize("name", ["delivered", "left", "rate", "eta", "drains_shown", "target"])
def test_any_value_in_a_release_is_used_or_left_out(name: str, strange: object) -> None:
    release = read_release({**RELEASE, name: strange})
    assert release is not None
    assert end_exit(release) >= 0
    assert end_text(release).isprintable()
    assert 0 <= float(release.get("rate", 0)) < 10**15
    assert trouble_of(release) == ("", "")
    json.dumps(release, allow_nan=False)
    assert read_release(strange) is None


def test_known_fields_remain_and_others_do_not() -> None:
    assert read_release({**RELEASE, "eta": None, "new": 1}) == {**RELEASE, "eta": None}
    assert read_answers({"results": [ANSWER]}) == [ANSWER]
    assert read_answers([{"target": "a"}]) is None
    assert count_of(RELEASE, "delivered", "left", "refused") == 5


def test_the_trouble_is_that_of_a_drain_that_goes_on() -> None:
    over = {"domain": "a", "state": "ended", "last_error": "old"}
    tries: dict[str, Any] = {"state": "waiting", "last_error": "refused", "next_attempt_at": "t"}
    release = read_release({**RELEASE, "drains_shown": [over, 5, tries]})
    assert release is not None
    assert trouble_of(release) == ("refused", "t")
