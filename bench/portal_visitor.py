"""People who are signed in to the portal of a running server."""

import re
import time
from typing import Final

from restante.tenancy.one_time_codes import code_at, step_at
from tests.acceptance.installation import HOST, Installation
from tests.acceptance.portal_browser import PortalBrowser, key_on

PASSWORD: Final = "korb stiefel mond"


def web_origin(restante: Installation) -> str:
    """Return the beginning of the portal's addresses."""
    return f"http://{HOST}:{restante.web_port}"


def visitor(restante: Installation, email: str, *options: str) -> PortalBrowser:
    """Invite a person, who opens the link and is signed in. `options` are of the invitation."""
    browser = PortalBrowser(web_origin(restante))
    link = restante.do("user", "invite", email, *options).splitlines()[-1]
    page = browser.get(re.sub(r"^https?://[^/]*", "", link))
    assert page.status_code == 200, page.text
    code = code_at(key_on(page.text), step_at(time.time()))
    form = {"password": PASSWORD, "repeated": PASSWORD, "code": code}
    done = browser.send(str(page.url.path), page, **form)
    assert done.status_code == 200, done.text
    assert browser.cookie
    return browser
