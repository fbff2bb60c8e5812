"""The confirmation that the key file was copied: of this key, and nothing else."""

from pathlib import Path

import pytest

from restante.config.key_copy import confirm_copy, copy_warnings, is_copy_confirmed
from restante.config.key_file import add_key
from restante.config.load import load
from tests.config.files import installed, replaced


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The configuration of a new installation."""
    made = installed(tmp_path)
    (tmp_path / "restante.key.copied").unlink()
    return made


def test_a_copy_is_confirmed_until_the_key_changes(config: Path) -> None:
    key = config.parent / "restante.key"
    assert not is_copy_confirmed(key)
    confirm_copy(key)
    assert is_copy_confirmed(key)
    add_key(key)
    assert not is_copy_confirmed(key)


def test_a_link_in_the_place_of_the_draft_is_not_followed(config: Path) -> None:
    key, victim = config.parent / "restante.key", config.parent / "victim"
    victim.write_text("untouched")
    (config.parent / "restante.key.copied.new").symlink_to(victim)
    confirm_copy(key)
    assert is_copy_confirmed(key)
    assert victim.read_text() == "untouched"


def test_who_may_not_read_the_key_believes_the_confirmation(config: Path) -> None:
    key = config.parent / "restante.key"
    confirm_copy(key)
    key.unlink()
    assert is_copy_confirmed(key)


def test_only_an_installation_that_seals_mail_warns(config: Path) -> None:
    [warning] = copy_warnings(load(config, {}))
    assert warning.startswith(f"{config.parent}/restante.key: no copy of it was confirmed")
    assert "`restante key confirm-copied`" in warning
    assert not list(copy_warnings(load(replaced(config, "seal_content = true", ""), {})))
