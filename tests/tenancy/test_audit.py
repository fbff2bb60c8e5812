"""Entries of the audit trail: filters, and the requests that were granted."""

from pathlib import Path
from typing import Any, Final

import pytest

import restante
from restante.tenancy.audit import (
    EVERY_ENTRY,
    AuditAction,
    AuditEntry,
    AuditFilter,
    is_granted_request,
)
from restante.tenancy.release_result import ReleaseResult

SOURCES: Final = Path(restante.__file__).parent
ENTRY = AuditEntry(
    at=100.0,
    action=AuditAction.RELEASE_REQUESTED,
    actor="login alice",
    subject="@b.example",
    account="alpha",
    answer="250 2.0.0 OK",
    domain="b.example",
)


@pytest.mark.parametrize(
    ("wanted", "is_accepted"),
    [
        ({}, True),
        ({"account": "alpha"}, True),
        ({"account": "beta"}, False),
        ({"account": ""}, False),
        ({"domain": "b.example"}, True),
        ({"domain": "@b.example"}, False),
        ({"action": "release-requested"}, True),
        ({"action": "mail-deleted"}, False),
        ({"actor": "login alice"}, True),
        ({"actor": "login"}, True),
        ({"actor": "alice"}, True),
        ({"actor": "ali"}, False),
        ({"since": 100.0}, True),
        ({"since": 100.1}, False),
        ({"until": 100.1}, True),
        ({"until": 100.0}, False),
        ({"account": "alpha", "actor": "bob"}, False),
    ],
)
def test_a_filter_accepts_entries(wanted: dict[str, Any], *, is_accepted: bool) -> None:
    assert AuditFilter(**wanted).accepts(ENTRY) is is_accepted


def test_without_a_wish_every_entry_is_accepted() -> None:
    assert EVERY_ENTRY.accepts(ENTRY)
    assert EVERY_ENTRY.accepts(AuditEntry(0.0, AuditAction.MAIL_EXPIRED, "policy retention", "7"))


@pytest.mark.parametrize(
    ("action", "result", "is_granted"),
    [
        (AuditAction.RELEASE_REQUESTED, ReleaseResult.GRANTED, True),
        (AuditAction.RELEASE_REQUESTED, ReleaseResult.NOTHING_HELD, True),
        (AuditAction.RELEASE_REQUESTED, ReleaseResult.REFUSED, False),
        (AuditAction.RELEASE_REQUESTED, ReleaseResult.CANNOT_NOW, False),
        (AuditAction.MAIL_DELETED, None, False),
    ],
)
def test_a_request_is_granted_by_its_result_and_not_by_its_reply(
    action: AuditAction, result: ReleaseResult | None, *, is_granted: bool
) -> None:
    entry = AuditEntry(0.0, action, "x", "y", answer="250 2.0.0 OK", result=result)
    assert is_granted_request(entry) is is_granted


def test_every_action_is_written_somewhere() -> None:
    sources = "".join(file.read_text() for file in SOURCES.rglob("*.py"))
    assert [one.name for one in AuditAction if f"AuditAction.{one.name}" not in sources] == []
