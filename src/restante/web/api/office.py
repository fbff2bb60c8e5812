"""How a route gets at the office it works on."""

from typing import Annotated

from fastapi import Depends, Query, Request

from restante.admin.office import Office


async def _office_of(request: Request) -> Office:
    office: Office = request.app.state.office
    return office


TheOffice = Annotated[Office, Depends(_office_of)]
Reason = Annotated[str, Query(description="Why; kept in the audit trail.")]
