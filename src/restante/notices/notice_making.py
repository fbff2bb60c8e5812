"""How a notice is made from an event: its texts are clean, and its details are those given."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from restante.notices.notice_language import clean
from restante.telemetry.events import Event
from restante.tenancy.notice import NoticeFacts, NoticeKind

_E = TypeVar("_E", bound=Event)
NoticeRule = Callable[[Any, float], Iterator[NoticeFacts]]  # the event, and when it was published
PairedRule = tuple[type[Event], NoticeRule]


def paired(event: type[_E], rule: Callable[[_E, float], Iterator[NoticeFacts]]) -> PairedRule:
    """Pair an event and its rule; a rule for another event is a type error."""
    return event, rule


def make_notice(
    kind: NoticeKind, account: str, at: float, about: str, text: str, **shown: str | int
) -> NoticeFacts:
    """Make a notice. `shown` are the fields of the event that it shows."""
    details = {name: _plain(value) for name, value in shown.items() if value != ""}
    return NoticeFacts(kind, account, clean(about), clean(text), at, details)


def _plain(value: str | int) -> str | int:
    return value if isinstance(value, int) else clean(value)
