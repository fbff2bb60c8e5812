"""The process that hashes for strangers, without a process."""

import io
import json
import os

from restante.admin.password_process import NO, YES, answer_all
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
