"""Routes of the store as a whole."""

from fastapi import APIRouter

from restante.admin import store_maintenance
from restante.admin.store_maintenance import BackupOrder, BackupView
from restante.web.api.idempotency_keys import REPEATABLE, ActingRoute
from restante.web.api.request_context import RequestContext

router = APIRouter(route_class=ActingRoute, prefix="/store", tags=["store"])


@router.post("/backup", status_code=201, dependencies=[REPEATABLE])
async def back_up_store(context: RequestContext, order: BackupOrder) -> BackupView:
    """Copy the store, while it serves, to a directory of the server's machine."""
    return await store_maintenance.backup(context, order)
