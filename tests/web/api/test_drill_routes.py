"""Drills over HTTP: a drill that fails is an answer, and a proof is verified."""

import asyncio

from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask


def test_a_drill_that_fails_is_an_answer_in_the_words_of_the_api() -> None:
    admin = AdminWorld()
    asyncio.run(admin.host("alpha.example", "alpha"))
    answer = ask(admin, "POST", "/v1/domains/alpha.example/drill", json={})
    assert answer.status_code == 200
    proof = answer.json()
    assert (proof["drill"]["is_passed"], proof["drill"]["failed_step"]) == (False, "check")
    assert "POST /v1/domains/alpha.example/check" in proof["drill"]["remedy"]
    verdict = ask(admin, "POST", "/v1/drills/verify", json=proof).json()
    assert verdict == {"is_genuine": True, "reason": "", "is_former_key": False}
    proof["drill"]["is_passed"] = True
    assert not ask(admin, "POST", "/v1/drills/verify", json=proof).json()["is_genuine"]


def test_a_drill_that_cannot_start_is_a_problem() -> None:
    admin = AdminWorld()
    asyncio.run(admin.host("alpha.example", "alpha"))
    body = {"recipient": "x@other.example"}
    assert ask(admin, "POST", "/v1/domains/alpha.example/drill", json=body).status_code == 422
    assert ask(admin, "POST", "/v1/domains/none.example/drill", json={}).status_code == 404
