"""Routes of hosted domains."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from restante.admin import domains
from restante.admin.domain_change import DomainChange, NewDomain
from restante.admin.domains import ChangedDomain, DomainView
from restante.web.api.listing import as_listing
from restante.web.api.request_context import Reason, RequestContext

router = APIRouter(prefix="/domains", tags=["domains"])


@router.post("", status_code=201)
async def add_domain(context: RequestContext, new: NewDomain) -> ChangedDomain:
    """Add a hosted domain."""
    return await domains.add_domain(context, new)


@router.get("", response_model=list[DomainView])
async def list_domains(context: RequestContext, account: str | None = None) -> StreamingResponse:
    """List hosted domains by name, all or an account's."""
    return as_listing(await domains.list_domains(context, account))


@router.get("/{name}")
async def show_domain(context: RequestContext, name: str) -> DomainView:
    """Show one domain."""
    return await domains.show_domain(context, name)


@router.patch("/{name}")
async def change_domain(context: RequestContext, name: str, wanted: DomainChange) -> ChangedDomain:
    """Change the given fields."""
    return await domains.change_domain(context, name, wanted)


@router.delete("/{name}", status_code=204)
async def remove_domain(context: RequestContext, name: str, reason: Reason) -> None:
    """Remove a domain that holds no mail."""
    await domains.remove_domain(context, name, reason)
