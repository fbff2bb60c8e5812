"""Configurations applied in tests: entries in, lines of the answer out."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from restante.admin.admin_context import AdminContext
from restante.admin.apply_steps import PruneScope
from restante.admin.applying import UNNAMED, ApplyLine, apply_configuration
from restante.admin.configuration_export import export_configuration, export_with_secrets
from tests.admin.admin_world import AdminWorld

Entries = Iterable[Mapping[str, Any]]

ACME: list[Mapping[str, Any]] = [
    {"thing": "account", "name": "acme", "note": "since 2019"},
    {"thing": "login", "user": "acme-mail", "account": "acme", "password": "correct horse"},
    {
        "thing": "domain",
        "name": "acme.example",
        "account": "acme",
        "destination": "192.0.2.7",
        "allow": ["192.0.2.7"],
        "addresses": ["anna", "sales-*"],
    },
    {"thing": "channel", "name": "ops", "account": "acme", "mail": "ops@elsewhere.example"},
]


async def lines(entries: Entries) -> AsyncIterator[bytes]:
    """Yield entries as an API client sends them."""
    for entry in entries:
        yield json.dumps(entry).encode()


async def applied(
    context: AdminContext,
    entries: Entries,
    prune: PruneScope = PruneScope.NOTHING,
    *,
    is_dry_run: bool = False,
) -> list[ApplyLine]:
    """Return the lines of the answer, with a reason unless the context has one."""
    if prune is not PruneScope.NOTHING:
        context = context.acting(context.principal, context.reason or UNNAMED)
    answer = apply_configuration(context, lines(entries), prune, is_dry_run=is_dry_run)
    return [line async for line in answer]


def apply(
    admin: AdminWorld,
    entries: Entries,
    prune: PruneScope = PruneScope.NOTHING,
    *,
    is_dry_run: bool = False,
) -> list[ApplyLine]:
    """Return the lines of the answer to the operator."""
    return asyncio.run(applied(admin.context, entries, prune, is_dry_run=is_dry_run))


def told(answer: list[ApplyLine]) -> list[str]:
    """Return the steps and failures in their order, each as a few words."""
    steps = [line.step or line.failure for line in answer if line.step or line.failure]
    return [f"{one.verb} {one.thing} {one.name}" for one in steps if one]


def fields_changed(answer: list[ApplyLine]) -> list[str]:
    """Return the changed fields of all steps."""
    return [
        f"{change.field}: {change.before} → {change.after}"
        for line in answer
        if line.step
        for change in line.step.changes
    ]


def numbers(answer: list[ApplyLine]) -> tuple[int, int, int, int, int]:
    """Return what the summary says: added, changed, removed, unchanged, failed."""
    last = answer[-1].summary
    assert last is not None
    return last.added, last.changed_records, last.removed, last.unchanged, last.failed


async def exported(
    context: AdminContext, account: str | None = None, *, with_secrets: bool = False
) -> list[dict[str, Any]]:
    """Return all entries of an export."""
    export = export_with_secrets if with_secrets else export_configuration
    return [entry async for entry in export(context, account)]
