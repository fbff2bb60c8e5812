"""The search for the configuration file."""

import os
from pathlib import Path

import pytest

from restante.config.config_file_search import SEARCHED, candidates, found_config_file
from restante.config.config_problem import ConfigError

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


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory. Nothing else is searched but a file above it."""
    directory = tmp_path / "here"
    directory.mkdir(mode=0o755)
    monkeypatch.chdir(directory)
    searched = (Path("restante.toml"), tmp_path / "second.toml")
    monkeypatch.setattr("restante.config.config_file_search.SEARCHED", searched)
    return directory


def test_the_first_that_is_a_file_is_used(here: Path) -> None:
    first, second = here / "restante.toml", here.parent / "second.toml"
    assert found_config_file(None, {}) is None
    second.touch()
    assert found_config_file(None, {}) == second
    first.mkdir()  # a directory is none
    assert found_config_file(None, {}) == second
    first.rmdir()
    first.touch()
    assert found_config_file(None, {}) == first


def refused(place: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        found_config_file(None, {})
    assert found_config_file(place, {}) == place, "a file that is named may be anybody's"
    return str(caught.value)


def test_a_file_that_others_can_change_is_refused_here_alone(here: Path) -> None:
    file = here / "restante.toml"
    file.touch()
    file.chmod(0o666)
    assert refused(file).startswith(f"{file}: it, or its directory, is writable for other users;")
    file.chmod(0o644)
    here.chmod(0o777)
    assert f"pass --config {file}; otherwise change to another directory" in refused(file)
    here.chmod(0o1777)  # as /tmp: nobody can replace the file
    assert found_config_file(None, {}) == file


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_and_a_link_of_another_user_are_refused(here: Path) -> None:
    file = here / "restante.toml"
    file.touch()
    os.chown(file, 65534, 65534)
    assert "belongs to another user" in refused(file)
    os.chown(file, 0, 0)
    file.rename(here / "own.toml")
    here.chmod(0o1777)
    file.symlink_to("own.toml")
    assert found_config_file(None, {}) == file
    os.chown(file, 65534, 65534, follow_symlinks=False)
    assert "is a link of another user" in refused(file)
    os.chown(here, 65534, 65534)
    assert "belongs to another user" in refused(file)
