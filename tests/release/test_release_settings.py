"""Where ATRN is offered."""

import pytest

from restante.release.release_settings import ReleaseSettings


@pytest.mark.parametrize(
    ("turnaround", "on_odmr", "elsewhere"),
    [("odmr-only", True, False), ("everywhere", True, True), ("off", False, False)],
)
def test_listeners_that_offer_a_turnaround(
    turnaround: str, *, on_odmr: bool, elsewhere: bool
) -> None:
    settings = ReleaseSettings.model_validate({"turnaround": turnaround})
    assert settings.offers_turnaround(is_odmr=True) is on_odmr
    assert settings.offers_turnaround(is_odmr=False) is elsewhere


def test_by_default_mail_listeners_offer_none() -> None:
    assert ReleaseSettings() == ReleaseSettings(turnaround="odmr-only")
