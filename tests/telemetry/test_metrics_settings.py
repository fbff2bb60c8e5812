"""How many domains have metrics of their own."""

import pytest
from pydantic import ValidationError

from restante.telemetry.metrics_settings import MetricsSettings


def test_the_number_is_bounded_unless_the_operator_wants_all() -> None:
    assert MetricsSettings().limit == 200
    assert MetricsSettings(domains=0).limit == 0
    assert MetricsSettings(domains="all").limit is None


@pytest.mark.parametrize("given", [-1, "every", 1.5, None])
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        MetricsSettings.model_validate({"domains": given})
