"""The files that every browser gets."""

import hashlib
from importlib.resources import files

import pytest

from restante.web.portal.portal_look import PortalLook
from restante.web.portal.static_files import look_css, static_addresses, static_contents
from tests.web.portal.visitors import ALPHA, hosting, visit

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


def test_a_file_is_kept_by_browsers_at_the_address_of_its_content() -> None:
    addresses = static_addresses(PortalLook())
    page = visit(hosting(), "/", ALPHA).text
    for name in ("portal.css", "htmx.js", "portal.js", "look.css"):
        assert f'"{addresses[name]}"' in page
        kept = visit(hosting(), addresses[name], None)
        assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    for odd in ("/static/portal.css", "/static/portal.css?v=0"):
        assert visit(hosting(), odd, None).headers["cache-control"] == "no-store"
    assert visit(hosting(), "/", ALPHA).headers["cache-control"] == "no-store"
    other = static_addresses(PortalLook(color="#123456"))
    assert other["look.css"] != addresses["look.css"]


@pytest.mark.parametrize("color", ["red", "#12345", "#123456; } body { display: none"])
def test_a_color_is_nothing_else(color: str) -> None:
    with pytest.raises(ValueError, match=color[:4]):
        look_css(PortalLook(color=color))
