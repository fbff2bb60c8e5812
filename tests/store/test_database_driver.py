"""The driver of PostgreSQL is looked for without being loaded."""

import subprocess
import sys

import pytest

from restante.store import database_driver


def test_the_driver_is_found_without_being_loaded() -> None:
    code = (
        "import sys; from restante.store.database_driver import database_driver_is_installed as f;"
        " sys.exit(0 if f() and 'asyncpg' not in sys.modules else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_driver_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_driver, "_DRIVER", "no_such_driver")
    assert not database_driver.database_driver_is_installed()
