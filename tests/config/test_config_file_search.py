"""The search for the configuration file."""

from pathlib import Path

import pytest

from restante.config.config_file_search import SEARCHED, candidates, first_file

NAMED, GIVEN = Path("/named.toml"), Path("/given.toml")


@pytest.mark.parametrize(
    ("given", "environ", "found"),
    [
        (None, {}, SEARCHED),
        (None, {"RESTANTE_CONFIG": ""}, SEARCHED),
        (None, {"RESTANTE_CONFIG": "/named.toml"}, [NAMED]),
        (GIVEN, {"RESTANTE_CONFIG": "/named.toml"}, [GIVEN]),
    ],
)
def test_a_file_that_is_named_is_the_only_one(
    given: Path | None, environ: dict[str, str], found: list[Path]
) -> None:
    assert candidates(given, environ) == found


def test_the_first_that_is_a_file_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = Path("first.toml"), tmp_path / "second.toml"
    assert first_file([first, second]) is None
    second.touch()
    assert first_file([first, second]) == second
    assert first_file([tmp_path, second]) == second  # a directory is none
    first.touch()
    assert first_file([first, second]) == tmp_path / "first.toml"
