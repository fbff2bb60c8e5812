"""An address and a port in a setting."""

import pytest
from pydantic_core import PydanticCustomError

from restante.config.setting_endpoint import checked_endpoint


def test_an_address_of_ipv4_is_one_in_either_spelling() -> None:
    assert checked_endpoint("[::ffff:192.0.2.1]:25", None, "") == ("192.0.2.1", 25)
    assert checked_endpoint("192.0.2.1", 53, "") == ("192.0.2.1", 53)


@pytest.mark.parametrize("text", ["localhost:25", "192.0.2.1", "192.0.2.1:x", "192.0.2.1:65536"])
def test_another_value_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(PydanticCustomError) as caught:
        checked_endpoint(text, None, "write ADDRESS:PORT")
    assert caught.value.context is not None
    assert caught.value.context["remedy"] == "write ADDRESS:PORT"
    assert repr(text) not in caught.value.message()
