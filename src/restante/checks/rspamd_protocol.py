"""The request to rspamd about a message, and its answer (`/checkv2`). Pure.

Strangers choose the values of the request. So each is one line without control characters.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

from restante.checks.check import ExaminedContent
from restante.checks.filter_answer import FilterAdvice, FilterAnswer
from restante.mail.message_origin import shown_hello

PATH: Final = "/checkv2"
RECIPIENTS_TOLD: Final = 50  # rspamd reads at most 80 KiB of a request's header
SYMBOLS_NOTED: Final = 12
_ADVICE: Final[Mapping[str, FilterAdvice]] = {
    "no action": FilterAdvice.TAKE,
    "add header": FilterAdvice.TAKE,
    "rewrite subject": FilterAdvice.TAKE,
    "greylist": FilterAdvice.PUT_OFF,
    "soft reject": FilterAdvice.PUT_OFF,
    "reject": FilterAdvice.REFUSE,
    "quarantine": FilterAdvice.REFUSE,
    "discard": FilterAdvice.REFUSE,
}
_SYMBOL: Final = re.compile(r"[A-Za-z0-9_.:-]{1,60}\Z")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_LONGEST_ACTION: Final = 40


def request_fields(facts: ExaminedContent, key: str) -> Sequence[tuple[str, bytes]]:
    """Return the header of the request. `key` names the message in the log of rspamd."""
    client, path = facts.client, facts.reverse_path
    fields = [
        ("IP", str(client.address)),
        ("Helo", shown_hello(client.hello)),
        ("From", "" if path is None else str(path)),
        *(("Rcpt", recipient) for recipient in facts.forward_paths[:RECIPIENTS_TOLD]),
        ("Queue-Id", key),
        ("MTA-Name", client.hostname),
    ]
    if client.name:
        fields.append(("Hostname", client.name))
    if client.tls:
        version, _, cipher = client.tls.partition(" ")
        fields += [("TLS-Version", version), ("TLS-Cipher", cipher)]
    return [(name, _line(value)) for name, value in fields]


def _line(value: str) -> bytes:
    return _CONTROL.sub("?", value).strip().encode("utf-8", "replace")


def read_answer(body: bytes) -> FilterAnswer:
    """Read the answer. Raises ValueError for anything that cannot be one."""
    try:
        answer = json.loads(body)
    except RecursionError:
        raise ValueError("its answer is too deep") from None
    match answer:
        case {"action": str(action), **rest} if action.isprintable() and action.isascii():
            symbols = rest.get("symbols")
        case _:
            raise ValueError("its answer has no action")
    advice = _ADVICE.get(action, FilterAdvice.TAKE)
    notes = (action[:_LONGEST_ACTION], *_symbols(symbols))
    return FilterAnswer(advice, notes, _number(answer.get("score")))


def _symbols(symbols: object) -> list[str]:
    """Return the symbols of most weight, with their scores."""
    found = []
    for name, facts in symbols.items() if isinstance(symbols, dict) else ():
        score = _number(facts.get("score")) if isinstance(facts, dict) else None
        if score is not None and _SYMBOL.match(name):
            found.append((-abs(score), name, score))
    weighty = [one for one in sorted(found) if one[0]] or sorted(found)
    return [f"{name} {score:g}" for _, name, score in weighty[:SYMBOLS_NOTED]]


def _number(value: object) -> float | None:
    """Return a number; None if there is none that is finite."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
