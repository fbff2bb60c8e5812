"""Drills over HTTP: a drill that fails is an answer, and a proof is verified."""

import asyncio

from restante.admin.drill_arrival import note_arrived
from restante.readiness.filter_trust import FilterTrust, trust_remedy, trust_row
from restante.web.api.remedy_words import in_words_of_api
from tests.admin.admin_world import AdminWorld
from tests.admin.test_drill_arrival import BEGINNING, header_of
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


def test_the_header_of_the_drill_is_read_in_the_words_of_the_api() -> None:
    admin = AdminWorld()
    asyncio.run(admin.host("alpha.example", "alpha"))
    path = "/v1/domains/alpha.example/drill/arrival"
    assert ask(admin, "POST", path, json={"header": "Subject: x"}).status_code == 409
    asyncio.run(note_arrived(admin.store.retention, BEGINNING))
    assert ask(admin, "POST", path, json={"header": "Subject: x"}).status_code == 422
    assert ask(admin, "POST", path, json={"header": "x" * 65_537}).status_code == 422
    answer = ask(admin, "POST", path, json={"header": header_of(admin.context)})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "unknown")
    assert "`POST /v1/domains/alpha.example/drill` with `client`" in in_words_of_api(
        trust_remedy("alpha.example", FilterTrust.ALIKE)
    )
    found = in_words_of_api(trust_row("alpha.example", None, 0.0).remedy)
    assert "`POST /v1/domains/alpha.example/drill/arrival` with the header" in found
