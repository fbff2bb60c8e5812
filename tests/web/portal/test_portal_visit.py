"""Forms as they arrive."""

import pytest
from starlette.exceptions import HTTPException

from restante.web.portal.portal_visit import MOST_FIELDS, FormValues, segment


def test_fields_are_texts_without_blanks() -> None:
    form = FormValues("a=+x+&b=&c=1&c=2&d=%ff")
    assert (form.text("a"), form.given("b"), form.all_of("c")) == ("x", None, ["1", "2"])
    assert form.text("d") == "\ufffd"
    assert form.text("e", "none") == "none"


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(HTTPException):
        FormValues("a=1&" * (MOST_FIELDS + 1))


def test_a_segment_has_no_slash() -> None:
    assert segment("a/../b?c") == "a%2F..%2Fb%3Fc"
