"""The style, the scripts and the logo, in memory: no request reads a file."""

import hashlib
import re
from importlib.resources import files
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from restante.web.answer_headers import KEPT_FOR_GOOD
from restante.web.portal.portal_look import PortalLook

STATIC_PATH: Final = "/static/"
_CSS: Final = "text/css; charset=utf-8"
_SCRIPT: Final = "text/javascript; charset=utf-8"
_COLOR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_OWN: Final = {"portal.css": _CSS, "portal.js": _SCRIPT, "passkeys.js": _SCRIPT, "open.js": _SCRIPT}
_VERSION: Final = "v"
_HTMX: Final = "htmx-4.0.1/htmx.min.js"


def static_route(look: PortalLook) -> Route:
    """Return the route of all static files of an installation. Anybody may have them."""
    served = static_contents(look)
    digests = {name: _digest(content) for name, (content, _) in served.items()}

    async def static_file(request: Request) -> Response:
        name = request.path_params["name"]
        found = served.get(name)
        if found is None:
            raise HTTPException(404)
        content, media_type = found
        answer = Response(content, media_type=media_type)
        if request.query_params.get(_VERSION) == digests[name]:
            answer.headers["Cache-Control"] = KEPT_FOR_GOOD
        return answer

    return Route(f"{STATIC_PATH}{{name}}", static_file, methods=["GET"])


def static_addresses(look: PortalLook) -> dict[str, str]:
    """Return the address of each file. It changes with the content, so a browser may keep it."""
    return {
        name: f"{STATIC_PATH}{name}?{_VERSION}={_digest(content)}"
        for name, (content, _) in static_contents(look).items()
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def static_contents(look: PortalLook) -> dict[str, tuple[bytes, str]]:
    """Return each file with its media type."""
    own, vendor = files("restante.web.portal") / "static", files("restante.web") / "vendor"
    served = {name: ((own / name).read_bytes(), kind) for name, kind in _OWN.items()}
    served["htmx.js"] = ((vendor / _HTMX).read_bytes(), _SCRIPT)
    served["look.css"] = (look_css(look).encode(), _CSS)
    if look.logo:
        served["logo"] = (look.logo, look.logo_type)
    return served


def look_css(look: PortalLook) -> str:
    """Return the style of the installation's color; a page may have no style of its own."""
    if not _COLOR.fullmatch(look.color):
        raise ValueError(look.color)
    return f":root {{ --accent: {look.color}; }}\n"
