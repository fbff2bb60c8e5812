"""One person's data over the API: a row to a line, and the address in no path."""

import json
from typing import Any

from restante.web.api.json_lines import MEDIA_TYPE
from tests.admin.admin_world import AdminWorld
from tests.web.api.asking import ask


def post(verb: str, **body: Any) -> Any:
    return ask(AdminWorld(), "POST", f"/v1/privacy/{verb}", json=body)


def test_the_last_line_says_what_is_elsewhere() -> None:
    for verb in ("export", "erase"):
        answer = post(verb, address="anna@alpha.example", reason="asked")
        assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
        assert "elsewhere" in json.loads(answer.text.splitlines()[-1])


def test_what_is_no_address_is_answered_with_a_problem() -> None:
    answer = post("erase", address="anna", reason="asked")
    assert answer.status_code == 422
    assert "address" in answer.json()["detail"]
