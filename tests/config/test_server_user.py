"""The user that the server becomes, by the configuration and by the user that it is now."""

import os
import pwd
from pathlib import Path

import pytest

from restante.config.load import load
from restante.config.server_user import later_user, named_user
from tests.config.files import installed, replaced

NOBODY = pwd.getpwnam("nobody")


def with_user(directory: Path, name: str) -> Path:
    return replaced(installed(directory), '# user = "restante"', f'user = "{name}"')


def test_a_user_is_found_by_its_name(tmp_path: Path) -> None:
    assert named_user(load(with_user(tmp_path, "nobody"), {})) == NOBODY


def test_a_user_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert named_user(load(with_user(tmp_path, "no-such-user"), {})) is None


@pytest.mark.parametrize(("own_id", "becomes"), [(0, NOBODY), (1000, None)])
def test_only_root_becomes_another_user(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_id: int,
    becomes: pwd.struct_passwd | None,
) -> None:
    config = load(with_user(tmp_path, "nobody"), {})
    monkeypatch.setattr(os, "geteuid", lambda: own_id)
    assert later_user(config) == becomes


def test_root_stays_root_where_no_user_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert later_user(load(installed(tmp_path), {})) is None
