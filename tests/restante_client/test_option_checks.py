"""Options that do not go together end the command before any connection."""

from __future__ import annotations

import pytest

from restante_client.client_arguments import read_command
from restante_client.client_failure import ClientExit, ClientFailure

TURN = "turn mx.example"
ASK = "ask mx.example a.example"
LOGIN = "--login a --password-file p"
TOKEN = "--https --token-file t"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"{TURN} {LOGIN} --local none", "--local none: turn hands the mail"),
        (f"{ASK} {LOGIN} --token-file t", "--token-file without --https"),
        (f"{ASK} {LOGIN} --wait", "--wait needs --https"),
        (f"{ASK} {TOKEN} --limit 1h", "--limit without --wait"),
        (f"{ASK} {TOKEN} --tls starttls", "--tls with --https"),
        (f"{ASK} {TOKEN} --password-file p", "--password-file with --https"),
        (f"{ASK} {TOKEN} --local none --local-wait 1m", "--local-wait with --local none"),
        (f"{TURN} {LOGIN} --ca c --pin p", "--ca with --pin"),
        (f"{TURN} {LOGIN} --key k", "--key without --certificate"),
        (f"{TURN} --certificate c --auth plain", "--auth plain without a password"),
        (f"{TURN} {LOGIN} --auth external", "--auth external without a certificate"),
        (f"{TURN} {LOGIN} --certificate c --auth external", "it is not used"),
        (f"{TURN} --login a", "no password"),
        (f"{TURN} --password-file p", "a password without a user name"),
        (f"{ASK} --https", "no token"),
    ],
)
def test_a_pair_is_refused(line: str, told: str) -> None:
    with pytest.raises(ClientFailure) as caught:
        read_command(line.split())
    assert caught.value.code is ClientExit.USAGE
    assert told in caught.value.text


def test_defaults_are_those_of_the_verb() -> None:
    turn = read_command(f"{TURN} {LOGIN}".split())
    assert (turn.tls, turn.local, turn.local_wait) == ("starttls", "127.0.0.1:25", 600)
    assert (turn.limit, turn.domains) == (43200, [])
    assert read_command(f"{ASK} {LOGIN}".split()).tls == "implicit"


@pytest.mark.parametrize(
    "line",
    [
        f"turn mx.example {LOGIN} a.example",
        f"turn {LOGIN} mx.example a.example",
        f"turn mx.example a.example {LOGIN}",
        f"ask mx.example {LOGIN} a.example",
        f"ask {LOGIN} mx.example a.example --json",
        "ask mx.example --login a a.example --password-file p",
    ],
)
def test_names_and_options_come_in_any_order(line: str) -> None:
    given = read_command(line.split())
    assert (given.server, given.domains, given.login) == ("mx.example", ["a.example"], "a")


def test_several_names_come_around_options() -> None:
    given = read_command(f"ask mx.example a.example {LOGIN} b.example #acme".split())
    assert given.domains == ["a.example", "b.example", "#acme"]
