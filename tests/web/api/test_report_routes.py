"""Waiting reports over the API: listed, shown and dropped."""

import asyncio

import pytest

from tests.admin.test_report_queue import bounced
from tests.web.api.asking import ask


def test_reports_are_listed_shown_and_dropped() -> None:
    admin = asyncio.run(bounced())
    listed = ask(admin, "GET", "/v1/reports", params={"domain": "alpha.example"}).json()
    assert [one["to"] for one in listed] == ["sender@alpha.test"]
    number = listed[0]["number"]
    shown = ask(admin, "GET", f"/v1/reports/{number}")
    assert "no such user" in shown.text
    named = {"numbers": [number], "reason": "a test"}
    assert ask(admin, "POST", "/v1/reports/drop", json=named).status_code == 200
    assert ask(admin, "GET", f"/v1/reports/{number}").status_code == 404
    assert len(ask(admin, "GET", "/v1/reports").json()) == 1


@pytest.mark.parametrize("number", ["0", "-1", str(2**63), "first"])
def test_a_number_that_no_report_can_have_is_refused(number: str) -> None:
    admin = asyncio.run(bounced())
    assert ask(admin, "GET", f"/v1/reports/{number}").status_code == 422
