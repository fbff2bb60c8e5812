"""The answer to a request with a field that is missing, or of a wrong form."""

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from restante.admin.admin_error import AdminError, ErrorKind
from restante.web.api.field_faults import field_fault
from restante.web.api.problem_details import STATUSES, answer_admin_error, problem
from restante.web.api.request_context import acting_principal
from restante.web.api.route_rights import require_right


async def answer_bad_shape(request: Request, error: Exception) -> JSONResponse:
    """Name the field and its fault; to a client without the right, that alone."""
    assert isinstance(error, RequestValidationError)
    try:
        require_right(request, acting_principal(request))
    except AdminError as refusal:
        return await answer_admin_error(request, refusal)
    fault = field_fault(error.errors()[0])
    return problem(STATUSES[ErrorKind.INVALID], ErrorKind.INVALID, fault.detail, fault.remedy)
