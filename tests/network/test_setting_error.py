"""The error of a value in the configuration."""

from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ValidationError

from restante.network.setting_error import setting_error


def refuse(value: str) -> str:
    raise setting_error("is no color", "write red", is_secret=value == "hidden")


class Painted(BaseModel):
    """A setting that no value fits."""

    color: Annotated[str, AfterValidator(refuse)]


@pytest.mark.parametrize(("value", "is_secret"), [("blue", False), ("hidden", True)])
def test_a_validator_tells_the_cause_and_the_remedy(value: str, *, is_secret: bool) -> None:
    with pytest.raises(ValidationError) as caught:
        Painted(color=value)
    [error] = caught.value.errors()
    assert error["msg"] == "is no color"
    assert error["ctx"]["remedy"] == "write red"
    assert error["ctx"]["is_secret"] is is_secret
