"""The process that hashes for strangers, without a process."""

import io
import json
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from restante.admin.password_process import BEHIND_ALL, BEHIND_MAIL, NO, YES, answer_all, step_back
from restante.tenancy.passwords import hash_generated_password


def asked(*passwords: str) -> bytes:
    hashes = [hash_generated_password("right")]
    lines = [json.dumps({"hashes": hashes, "password": one}) + "\n" for one in passwords]
    return "".join(lines).encode()


def test_each_line_is_answered_until_the_input_ends() -> None:
    reading, writing = os.pipe()
    answers = io.BytesIO()
    os.write(writing, asked("right", "wrong", "right"))
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as questions:
        answer_all(questions, answers)
    assert answers.getvalue() == YES + NO + YES


def test_it_ends_when_nobody_asks() -> None:
    reading, writing = os.pipe()
    answers = io.BytesIO()
    os.write(writing, asked("right"))
    with os.fdopen(reading, "rb", buffering=0) as questions:
        answer_all(questions, answers, idle_seconds=0.0)
    os.close(writing)
    assert answers.getvalue() == YES


def place_after(place: str) -> tuple[int, int]:
    step_back(place)
    return os.sched_getscheduler(0), len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("place", "policy", "processors"),
    [
        (BEHIND_ALL, os.SCHED_IDLE, 1),
        (BEHIND_MAIL, os.SCHED_BATCH, len(os.sched_getaffinity(0))),
    ],
)
def test_it_leaves_processors_to_others(place: str, policy: int, processors: int) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as another:
        assert another.submit(place_after, place).result() == (policy, processors)
