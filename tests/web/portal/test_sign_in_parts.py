"""The status of answers to people who were not signed in."""

import pytest

from restante.admin.sign_in import BUSY, TOO_MANY, SignInDenied
from restante.web.portal.sign_in_parts import http_status_of


@pytest.mark.parametrize(
    ("denied", "status"),
    [
        (SignInDenied(), 403),
        (SignInDenied(TOO_MANY, is_flood=True), 429),
        (SignInDenied(BUSY, is_flood=True), 503),
        (SignInDenied(BUSY), 503),
    ],
    ids=range(4),
)
def test_time_cures_what_5xx_and_429_say(denied: SignInDenied, status: int) -> None:
    assert http_status_of(denied) == status
