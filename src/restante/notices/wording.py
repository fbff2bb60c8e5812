"""How a notice reads: as JSON for programs, as a few lines for people. Pure.

It is the same on each attempt. The texts of a notice are clean when it is made (tenancy/notice.py).
Even so, they are quoted here by the rules of each format.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from restante.mail.quantity import counted
from restante.tenancy.notice import Notice


def webhook_body(notice: Notice, hostname: str) -> bytes:
    """Return the body that a webhook gets: one JSON object (RFC 8259), in ASCII."""
    facts = notice.facts
    shown = {
        "id": notice.key,
        "type": str(facts.kind),
        "timestamp": _time(facts.at),
        "server": hostname,
        "account": facts.account,
        "about": facts.about,
        "text": facts.text,
        "held_back": notice.held_back,
        "details": dict(facts.details),
    }
    return json.dumps(shown, separators=(",", ":")).encode("ascii")


def title(notice: Notice) -> str:
    """Return the title of a notice: its kind and the thing."""
    return f"{notice.facts.kind}: {notice.facts.about}"


def as_text(notice: Notice, hostname: str) -> str:
    """Return it as lines for people, each ended by LF."""
    return "".join(f"{line}\n" for line in _lines(notice, hostname))


def _lines(notice: Notice, hostname: str) -> Iterator[str]:
    facts = notice.facts
    yield facts.text
    yield ""
    if notice.held_back:
        one, many = "notice of this kind was", "notices of this kind were"
        yield f"{counted(notice.held_back, f'more {one}', f'more {many}')} held back."
        yield ""
    shown = {"kind": facts.kind, "when": _time(facts.at), "account": facts.account, **facts.details}
    width = max(len(name) for name in shown)
    yield from (f"{name:{width}}  {value}" for name, value in shown.items() if value != "")
    yield ""
    yield f"From {hostname}, whose channels decide which notices you get."


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
