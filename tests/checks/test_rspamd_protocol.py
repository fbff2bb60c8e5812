"""The request to rspamd, and its answers, whatever they are."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restante.checks.check import ClientFacts
from restante.checks.filter_answer import FilterAdvice, FilterAnswer
from restante.checks.rspamd_protocol import RECIPIENTS_TOLD, read_answer, request_fields
from restante.mail.address import Mailbox
from tests.checks.filter_facts import content_facts
from tests.checks.signs import STRANGER


def answer(**fields: object) -> FilterAnswer:
    return read_answer(json.dumps({"action": "no action", "symbols": {}, **fields}).encode())


@pytest.mark.parametrize(
    ("action", "advice"),
    [
        ("no action", FilterAdvice.TAKE),
        ("add header", FilterAdvice.TAKE),
        ("rewrite subject", FilterAdvice.TAKE),
        ("greylist", FilterAdvice.PUT_OFF),
        ("soft reject", FilterAdvice.PUT_OFF),
        ("reject", FilterAdvice.REFUSE),
        ("discard", FilterAdvice.REFUSE),
        ("quarantine", FilterAdvice.REFUSE),
        ("one of the operator's own", FilterAdvice.TAKE),
    ],
)
def test_each_action_is_an_advice(action: str, advice: FilterAdvice) -> None:
    assert answer(action=action, score=7) == FilterAnswer(advice, (action,), 7.0)


def test_the_symbols_of_most_weight_are_noted() -> None:
    symbols = {f"S{number}": {"score": number / 10} for number in range(30)}
    symbols |= {"HAM": {"score": -4.5}, "no name\n": {"score": 99}, "NONE": {}}
    found = answer(symbols=symbols).notes
    assert found[:3] == ("no action", "HAM -4.5", "S29 2.9")
    assert len(found) == 13


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"1",
        b"{}",
        b'{"action":1}',
        b'{"action":"a\\nb"}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_what_is_no_answer_is_known_as_such(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  any: the caller has one text for all
        read_answer(body)


@pytest.mark.parametrize("score", ["NaN", "Infinity", "1" * 400, '"7"', "true", "null", "{}"])
def test_a_score_that_is_no_number_is_none(score: str) -> None:
    body = f'{{"action":"reject","score":{score},"symbols":{{"A":{{"score":{score}}}}}}}'
    assert read_answer(body.encode()) == FilterAnswer(FilterAdvice.REFUSE, ("reject",), None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("score"), inner),
    max_leaves=10,
)


@given(
    st.binary()
    | st.fixed_dictionaries(
        {"action": st.text() | JSON, "symbols": JSON, "score": JSON},
    ).map(lambda found: json.dumps(found).encode())
)
def test_no_answer_has_another_end(body: bytes) -> None:
    try:
        found = read_answer(body)
    except ValueError:
        return
    assert all(note.isprintable() and note.isascii() for note in found.notes)


def test_the_request_has_what_is_known() -> None:
    client = STRANGER._replace(name="c.example", tls="TLSv1.3 TLS_AES_256_GCM_SHA384")
    facts = content_facts(client=client, reverse_path=Mailbox("s", "b.example"))
    assert request_fields(facts, "0a1b") == [
        ("IP", b"192.0.2.1"),
        ("Helo", b"c.example"),
        ("From", b"s@b.example"),
        ("Rcpt", b"x@d1.example"),
        ("Queue-Id", b"0a1b"),
        ("MTA-Name", b"mx2.example.net"),
        ("Hostname", b"c.example"),
        ("TLS-Version", b"TLSv1.3"),
        ("TLS-Cipher", b"TLS_AES_256_GCM_SHA384"),
    ]
    bounce = dict(request_fields(content_facts(), ""))
    assert bounce["From"] == b""
    assert not bounce.keys() & {"Hostname", "TLS-Version"}


def test_a_header_is_bounded_however_many_the_recipients_are() -> None:
    facts = content_facts()._replace(forward_paths=("x@d1.example",) * 1000)
    assert [name for name, _ in request_fields(facts, "")].count("Rcpt") == RECIPIENTS_TOLD


@given(st.text(), st.text(), st.text())
def test_no_stranger_writes_a_field_of_the_request(hello: str, local: str, path: str) -> None:
    client = ClientFacts(STRANGER.address, hello, STRANGER.hostname)
    facts = content_facts(client=client, reverse_path=Mailbox(local, "b.example"))
    for _, value in request_fields(facts._replace(forward_paths=(path,)), "key"):
        assert not any(octet < 32 or octet == 127 for octet in value)
        assert value == value.strip()
