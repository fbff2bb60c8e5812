"""Where a message came from, as it is shown, exported and imported again."""

from typing import Any

import pytest
from pydantic import ValidationError

from restante.admin.origin_facts import OriginFacts, message_origin, origin_facts
from restante.mail.message_origin import (
    HELLO_LIMIT,
    VERDICTS_LIMIT,
    MessageOrigin,
    PtrStatus,
)

FULL = MessageOrigin(
    "2001:db8::1",
    4711,
    "mx.example.org",
    "TLSv1.3 X",
    "ptr.example.org",
    {"filter": "score 3"},
    PtrStatus.CONFIRMED,
)


@pytest.mark.parametrize("origin", [None, MessageOrigin("192.0.2.1", 0, ""), FULL])
def test_an_origin_comes_back_as_it_was(origin: MessageOrigin | None) -> None:
    facts = origin_facts(origin)
    assert message_origin(facts) == origin
    if facts is not None:  # also when it was sent as JSON meanwhile
        assert message_origin(OriginFacts.model_validate_json(facts.model_dump_json())) == origin


@pytest.mark.parametrize(
    "fields",
    [
        {"port": -1},
        {"port": 65536},
        {"hello": "x" * (HELLO_LIMIT + 1)},
        {"verdicts": {str(number): "" for number in range(VERDICTS_LIMIT + 1)}},
        {"unknown": 1},
        {"ptr": "trusted"},
    ],
)
def test_an_import_cannot_bring_more_than_a_session_could(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        OriginFacts.model_validate({"address": "192.0.2.1", "port": 25, "hello": ""} | fields)
