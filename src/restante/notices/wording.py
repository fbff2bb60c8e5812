"""How a notice reads: as JSON for programs, as a few lines for people. Pure.

It is the same on each attempt. The texts of a notice are clean when it is made (tenancy/notice.py).
Even so, they are quoted here by the rules of each format.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from restante.mail.quantity import counted
from restante.tenancy.notice import Notice


def as_json(notice: Notice, hostname: str) -> bytes:
    """Return the body that a webhook gets: one JSON object (RFC 8259), in ASCII."""
    news = notice.news
    facts = {
        "id": notice.key,
        "type": str(news.kind),
        "timestamp": _time(news.at),
        "server": hostname,
        "account": news.account,
        "about": news.about,
        "text": news.text,
        "held_back": notice.held_back,
        "details": dict(news.details),
    }
    return json.dumps(facts, separators=(",", ":")).encode("ascii")


def title(notice: Notice) -> str:
    """Return the title of a notice: its kind and the thing."""
    return f"{notice.news.kind}: {notice.news.about}"


def as_text(notice: Notice, hostname: str) -> str:
    """Return it as lines for people, each ended by LF."""
    return "".join(f"{line}\n" for line in _lines(notice, hostname))


def _lines(notice: Notice, hostname: str) -> Iterator[str]:
    news = notice.news
    yield news.text
    yield ""
    if notice.held_back:
        more = counted(
            notice.held_back, "more happened meanwhile and was", "more happened meanwhile and were"
        )
        yield f"Of this {more} not told."
        yield ""
    facts = {"kind": news.kind, "when": _time(news.at), "account": news.account, **news.details}
    width = max(len(name) for name in facts)
    yield from (f"{name:{width}}  {value}" for name, value in facts.items() if value != "")
    yield ""
    yield f"From {hostname}; which notices come here, the operator of that server has set."


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
