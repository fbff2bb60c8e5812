"""The words for a version that a store needs."""

import pytest

from restante import __version__
from restante.store.stored_form.newer_program import newer_program


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("", "the version of Restante that upgraded it, or a later one"),
        ("7.0.0", "Restante 7.0.0, which upgraded it, or a later one"),
        ("7\x1b[31m\n", "Restante 7\\x1b[31m\\n, which upgraded it, or a later one"),
        (__version__, f"a later state of Restante {__version__}"),
    ],
)
def test_the_program_to_install_is_named(version: str, words: str) -> None:
    assert newer_program(version) == words
