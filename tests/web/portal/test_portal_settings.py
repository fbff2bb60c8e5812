"""The look of an installation, checked with its configuration."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from restante.web.portal.portal_look import ACCENT, PortalLook
from restante.web.portal.portal_settings import LOGO_OCTETS, PortalSettings, luminance


def test_without_settings_it_is_restante_s() -> None:
    assert PortalSettings().look == PortalLook()


def test_a_logo_is_read_at_once_from_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "logo.PNG").write_bytes(b"image")
    given = {"name": "Example Mail", "color": "#1f4e9e", "logo": "logo.PNG"}
    settings = PortalSettings.model_validate(given, context={"directory": tmp_path})
    (tmp_path / "logo.PNG").unlink()
    assert settings.look == PortalLook("Example Mail", "#1f4e9e", b"image", "image/png")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"color": "red"}, "is not a color"),
        ({"color": "#12345g"}, "is not a color"),
        ({"color": "#ffee00"}, "is too light"),
        ({"name": ""}, "at least 1 character"),
        ({"logo": "logo.html"}, "has no type that browsers show"),
        ({"logo": "missing.png"}, "cannot be read: No such file"),
        ({"logo": "empty.png"}, "is empty"),
        ({"logo": "large.png"}, "is too large"),
    ],
    ids=["word", "digits", "light", "name", "type", "missing", "empty", "large"],
)
def test_values_that_cannot_be_shown_are_refused(
    tmp_path: Path, given: dict[str, str], fault: str
) -> None:
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "large.png").write_bytes(bytes(LOGO_OCTETS + 1))
    with pytest.raises(ValidationError, match=fault):
        PortalSettings.model_validate(given, context={"directory": tmp_path})


def test_luminance_is_that_of_wcag() -> None:
    assert luminance("#ffffff") == pytest.approx(1)
    assert luminance("#000000") == 0
    assert 1.05 / (luminance(ACCENT) + 0.05) > 4.5
