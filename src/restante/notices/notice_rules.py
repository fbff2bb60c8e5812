"""Which events cause notices.

A new notice has its kind in `tenancy/notice`, and its rule in `domain_notices`, `account_notices`
or `server_notices`: for which account it is, and its text.

Every event with a notice has its line in the log and its metric (telemetry/metrics.py). So log,
metrics and notices cannot disagree, and the code that publishes an event knows nothing of notices.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from restante.notices.account_notices import ACCOUNT_RULES
from restante.notices.domain_notices import DOMAIN_RULES
from restante.notices.notice_making import NoticeRule
from restante.notices.server_notices import SERVER_RULES
from restante.telemetry.events import Event
from restante.tenancy.notice import NoticeFacts

RULES: Final[Mapping[type[Event], NoticeRule]] = dict(
    (*DOMAIN_RULES, *ACCOUNT_RULES, *SERVER_RULES)
)


def notice_facts_in(event: Event, at: float) -> Iterator[NoticeFacts]:
    """Yield the notices of an event."""
    rule = RULES.get(type(event))
    if rule is not None:
        yield from rule(event, at)
