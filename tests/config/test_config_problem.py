"""An error of a configuration is one line with place, key, value, cause and remedy."""

from pathlib import Path
from typing import Any

import pytest

from restante.config.config_problem import VALUE_LENGTH, ConfigError, ConfigProblem


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, "r.toml:3: tls.minimum: is old; write 1.2"),
        ("1.0", 'r.toml:3: tls.minimum = "1.0": is old; write 1.2'),
        ("a\nb", 'r.toml:3: tls.minimum = "a\\nb": is old; write 1.2'),
        ("ü", 'r.toml:3: tls.minimum = "ü": is old; write 1.2'),
        (["a", 1], 'r.toml:3: tls.minimum = ["a", 1]: is old; write 1.2'),
        (0, "r.toml:3: tls.minimum = 0: is old; write 1.2"),
    ],
)
def test_it_is_one_line(value: Any, line: str) -> None:
    assert str(ConfigProblem("r.toml:3", "tls.minimum", "is old", "write 1.2", value)) == line


def test_an_error_of_the_whole_file_has_no_key() -> None:
    assert str(ConfigProblem("r.toml", "", "is not TOML", "fix it")) == (
        "r.toml: is not TOML; fix it"
    )


def test_a_long_value_is_cut_but_not_a_path() -> None:
    cut = str(ConfigProblem("r.toml:3", "user", "is long", "cut it", "x" * 1000))
    assert cut == f'r.toml:3: user = "{"x" * (VALUE_LENGTH - 2)}…: is long; cut it'
    path = Path("/") / ("x" * 1000)
    assert f'"{path}"' in str(ConfigProblem("r.toml:3", "key_file", "is no file", "fix it", path))


def test_an_error_has_a_line_for_each_problem() -> None:
    one, other = (ConfigProblem("r.toml", key, "is wrong", "fix it") for key in ("a", "b"))
    error = ConfigError([one, other])
    assert str(error) == "r.toml: a: is wrong; fix it\nr.toml: b: is wrong; fix it"
    assert error.problems == (one, other)
