"""The API as an ASGI application.

It asks for no login: whoever can reach its socket is the operator. So it is served on the control socket, inside a
directory that only the server's user may enter, and nowhere else.
"""

from fastapi import FastAPI

from restante import __version__
from restante.admin.office import Office
from restante.web.api import (
    accounts,
    domains,
    logins,
    mail_queue,
    metrics,
    notices,
    operations,
    recipients,
    reports,
    store_care,
)
from restante.web.api.problems import handle_problems


def build_api(office: Office) -> FastAPI:
    """Return the application that works on this office."""
    api = FastAPI(title="Restante", version=__version__, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json")
    api.state.office = office
    for routes in (accounts, logins, domains, recipients, mail_queue, reports, notices, operations, store_care):
        api.include_router(routes.router, prefix="/v1")
    api.include_router(metrics.router)
    handle_problems(api)
    return api
