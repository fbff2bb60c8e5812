"""The files that every browser gets."""

import hashlib
from importlib.resources import files

import pytest

from restante.web.portal.portal_look import PortalLook
from restante.web.portal.static_files import look_css, static_contents

HTMX = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"


def test_the_vendored_file_is_unchanged_and_has_its_license() -> None:
    place = files("restante.web") / "vendor" / "htmx-4.0.1"
    assert hashlib.sha256((place / "htmx.min.js").read_bytes()).hexdigest() == HTMX
    assert "Zero-Clause BSD" in (place / "LICENSE").read_text()


def test_the_color_and_the_logo_of_an_installation() -> None:
    served = static_contents(PortalLook(color="#123456", logo=b"png", logo_type="image/png"))
    assert b"--accent: #123456" in served["look.css"][0]
    assert served["logo"] == (b"png", "image/png")
    assert "logo" not in static_contents(PortalLook())


@pytest.mark.parametrize("color", ["red", "#12345", "#123456; } body { display: none"])
def test_a_color_is_nothing_else(color: str) -> None:
    with pytest.raises(ValueError, match=color[:4]):
        look_css(PortalLook(color=color))
