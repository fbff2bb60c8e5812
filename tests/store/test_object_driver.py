"""The library for object stores is looked for without being loaded."""

import subprocess
import sys

import pytest

from restante.store import object_driver


def test_the_library_is_found_without_being_loaded() -> None:
    code = (
        "import sys; from restante.store.object_driver import object_driver_is_installed as f;"
        " import restante.store.postgres;"
        " sys.exit(0 if f() and 'obstore' not in sys.modules else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_missing_library_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_driver, "_DRIVER", "no_such_library")
    assert not object_driver.object_driver_is_installed()
