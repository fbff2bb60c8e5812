"""The command line: its words, and its complaints about wrong ones."""

import argparse

import pytest

from restante_client.client_arguments import read_span
from tests.restante_client.conftest import RunClient


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h", 3600)])
def test_a_span(text: str, seconds: int) -> None:
    assert read_span(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0m", "-1", "1d", "\u0661", "9" * 30])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not a span such as"):
        read_span(text)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["bring"],
        ["ask", "mx.example"],
        ["ask", "mx.example", "a.example", "--auth", "digest-md5"],
        ["ask", "mx.example", "a.example", "--log", "x"],
        ["turn"],
        ["turn", "mx.example", "--timeout", "x"],
        ["turn", "mx.example"],
        ["turn", "mx.example", "--password-file", "/etc/x"],
        ["ask", "mx.example", "a.example", "--https"],
        ["ask", "mx.example", "a.example", "--wait", "--login", "a", "--password-file", "-"],
        ["watch"],
        ["watch", "--every", "0", "turn", "mx.example"],
        ["watch", "watch", "turn", "mx.example"],
        ["watch", "turn"],
        ["watch", "turn", "mx.example", "--login", "a", "--password-file", "-"],
    ],
)
def test_a_wrong_command_is_told_on_one_line(client: RunClient, words: list[str]) -> None:
    ended = client(*words)
    assert ended.code == 64
    assert len(ended.err.splitlines()) == 1
    assert ended.out == ""


def test_only_the_server_of_a_turnaround_is_required(client: RunClient) -> None:
    assert "required: SERVER[:PORT]; see" in client("turn").err
    assert "required: SERVER[:PORT], DOMAIN; see" in client("ask").err
