"""Whether another user can change a file: by owner, group and mode."""

import os

import pytest

from restante.config.foreign_files import why_foreign

OTHERS, WRITABLE = "belongs to another user", "is writable for other users"


def status(owner: int, group: int, mode: int) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, owner, group, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("owner", "group", "mode", "own", "said"),
    [
        (0, 0, 0o755, 0, ""),
        (0, 0, 0o755, 1000, ""),
        (1000, 1000, 0o775, 1000, ""),  # where users have a group each
        (1000, 1000, 0o755, 0, OTHERS),
        (1001, 1001, 0o755, 1000, OTHERS),
        (0, 0, 0o775, 0, ""),
        (0, 50, 0o775, 0, WRITABLE),
        (0, 0, 0o1777, 0, WRITABLE),
        (1000, 1000, 0o777, 1000, WRITABLE),
    ],
)
def test_what_others_can_change_is_foreign(
    owner: int, group: int, mode: int, own: int, said: str
) -> None:
    assert why_foreign(status(owner, group, mode), own) == said


@pytest.mark.parametrize(
    ("owner", "mode", "own", "said"),
    [
        (0, 0o1777, 0, ""),  # /tmp
        (0, 0o1777, 1000, ""),
        (0, 0o755, 1000, ""),
        (0, 0o777, 0, WRITABLE),
        (1001, 0o755, 0, OTHERS),
        (1001, 0o1777, 0, OTHERS),
    ],
)
def test_a_directory_above_may_be_tmp_and_is_never_another_users(
    owner: int, mode: int, own: int, said: str
) -> None:
    assert why_foreign(status(owner, 0, mode), own, is_above=True) == said
