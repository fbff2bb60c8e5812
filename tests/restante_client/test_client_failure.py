"""The end of a command."""

import pytest

from restante.cli.failures import Exit
from restante.cli.status_command import CRITICAL
from restante_client.client_failure import ClientExit, shown


def test_the_exit_codes_are_those_of_the_server() -> None:
    codes = {one.name: one.value for one in ClientExit}
    assert codes.pop("SOFTWARE") == 70  # its faults end the server's command with a traceback
    assert codes.pop("CHECK_FAILS") == CRITICAL  # as of `restante domain check`
    assert codes.items() <= {one.name: one.value for one in Exit}.items()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a  b\r\nc", "a b c"), ("\x1b[31mred", "\\x1b[31mred"), ("ok\u202e", "ok\\u202e"), ("", "")],
)
def test_a_text_of_a_stranger_is_one_harmless_line(text: str, expected: str) -> None:
    assert shown(text) == expected
