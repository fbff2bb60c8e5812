"""A late module is loaded at the first use of an attribute, with the inner ones that it names."""

import subprocess
import sys

import pytest

from restante.network.late_module import LateModule


@pytest.fixture
def without_wsgiref(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have these modules not loaded, whatever other tests have loaded."""
    for name in [name for name in sys.modules if name.split(".")[0] == "wsgiref"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("without_wsgiref")
def test_it_is_loaded_at_the_first_use_and_not_before() -> None:
    late = LateModule("wsgiref", "util")
    assert "wsgiref" not in sys.modules
    assert late.util.guess_scheme({"HTTPS": "on"}) == "https"
    assert late.util is sys.modules["wsgiref.util"]


def test_an_attribute_that_is_missing_is_missing() -> None:
    with pytest.raises(AttributeError):
        _ = LateModule("wsgiref").nothing


LOADED = """
from restante.network.late_module import leave_out_unused
leave_out_unused()
import restante.server.administration
import httpx, sys
assert httpx.AsyncClient
print(*(name for name in ("rich", "pygments") if name in sys.modules))
"""


def test_a_server_loads_no_library_for_screens() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "\n"
