"""Forms as they arrive."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from starlette.exceptions import HTTPException

from restante.background.loop_slices import TURN_SECONDS
from restante.web.portal.portal_visit import MOST_FIELDS, FormValues, all_made, path_segment


def test_fields_are_texts_without_blanks() -> None:
    form = FormValues("a=+x+&b=&c=1&c=2&d=%ff")
    assert (form.text("a"), form.given("b"), form.all_of("c")) == ("x", None, ["1", "2"])
    assert form.text("d") == "\ufffd"
    assert form.text("e", "none") == "none"


def test_too_many_fields_are_refused() -> None:
    with pytest.raises(HTTPException):
        FormValues("a=1&" * (MOST_FIELDS + 1))


def test_a_segment_has_no_slash() -> None:
    assert path_segment("a/../b?c") == "a%2F..%2Fb%3Fc"


def test_views_of_a_long_listing_are_made_in_turns_with_others() -> None:
    turns = 0

    def views() -> Iterator[int]:
        for _ in range(3):
            until = time.perf_counter() + TURN_SECONDS
            while time.perf_counter() <= until:
                pass
            yield turns

    async def story() -> list[int]:
        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        running = asyncio.create_task(others())
        try:
            return await all_made(views())
        finally:
            running.cancel()

    assert asyncio.run(story()) == [0, 1, 2]
