"""Routes of what runs: release, status, audit trail."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from restante.admin import release, status, trail
from restante.admin.release import ReleaseOrder, ReleaseView
from restante.admin.status import StatusView
from restante.admin.trail import AuditView
from restante.tenancy.audit import AuditFilter
from restante.web.api.office import TheOffice

router = APIRouter(tags=["operations"])


@router.post("/release")
async def release_nodes(office: TheOffice, order: ReleaseOrder) -> list[ReleaseView]:
    """Start the drains of domains: the operator's ETRN."""
    return await release.release(office, order)


@router.get("/status")
async def show_status(office: TheOffice) -> StatusView:
    """Show held mail by domain, running drains, listeners."""
    return await status.show_status(office)


@router.get("/audit")
async def list_audit(
    office: TheOffice, wanted: Annotated[AuditFilter, Depends()], limit: Annotated[int, Query(ge=1, le=100_000)] = 100
) -> list[AuditView]:
    """List the newest entries of the audit trail, newest first."""
    return await trail.list_audit(office, wanted, limit)
