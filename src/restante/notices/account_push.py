"""The URLs of Apprise that an account may use. Pure.

Apprise knows services that send plain text or use devices of this machine. It knows arguments that
name files, or turn off the check of certificates. An account is a stranger here, so it gets two
closed lists: services that are called by HTTPS, and arguments that only shape the notice.
`apprise_process` makes sure of the same where the URL is used.
"""

import re
from typing import Final
from urllib.parse import unquote

from restante.notices.targets import NotAChannelTarget

# Each is one HTTPS service, or the scheme for a customer's own server with TLS.
_SERVICES: Final = """
    clickatell clicksend cliq discord flock forms gchat gotifys guilded hassios ifttt ilert
    incidentio join jsons kudosity lametrics line mmosts msgbird nctalks nexmo ntfys opsgenie
    pagerduty pagertree pbul plivo pover prowl psafers revolt rockets ryver seven signl4 simplepush
    sinch slack spike splunk spush squadcast telnyx tgram threema twilio twist viber victorops
    vonage webex workflow workflows wxteams xmls zoom zulip
"""
SERVICES: Final = frozenset(_SERVICES.split())
_ARGUMENTS: Final = """
    action api-version apikey avatar batch botname channel channels class click cto dedup device
    emojis expire flags footer format from group href id image key level method mode name overflow
    pa ping powerautomate preview priority region retry route routeid rto secret severity sid sig
    silent sound source tags thread timestamp title to token topic tts type tz urgency ver version
    wait workspace wrap
"""
ARGUMENTS: Final = frozenset(_ARGUMENTS.split())
_SCHEME: Final = re.compile(r"([A-Za-z0-9+.-]+)://")
_BETWEEN_ARGUMENTS: Final = re.compile(r"[?&;]")
_OWN_FIELDS: Final = ("+", "-", ":")  # headers and fields that the URL itself adds
_SHOWABLE: Final = re.compile(r"[a-z_-]{1,20}")
_GUIDE: Final = "docs/how-to/get-notices.md lists those that an account can use"


def check_account_push(url: str) -> None:
    """Raise NotAChannelTarget for a URL that no account may use. The text repeats no secret."""
    found = _SCHEME.match(url.strip())
    service = found[1].lower() if found else ""
    if service not in SERVICES:
        shown = f"{service}://" if found else "this URL"
        secure = f"write {service}s://; " if f"{service}s" in SERVICES else ""
        cause = f"{shown} is no HTTPS service that accounts can use"
        raise NotAChannelTarget(cause, f"{secure}{_GUIDE}")
    for one in _BETWEEN_ARGUMENTS.split(url)[1:]:
        name = unquote(one.partition("=")[0]).strip().lower()
        if name and name not in ARGUMENTS and not name.startswith(_OWN_FIELDS):
            shown = name if _SHOWABLE.fullmatch(name) else "of that name"
            cause = f"an account's channel cannot have the argument {shown}"
            raise NotAChannelTarget(cause, f"leave it out; {_GUIDE}")
