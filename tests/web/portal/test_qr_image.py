"""A QR code as one path: each dark module is drawn once."""

import re

import segno

from restante.web.portal.qr_image import qr_image

TEXT = "otpauth://totp/mx2.example.net:ana%40acme.example?secret=" + "A" * 32


def test_the_path_draws_the_modules_of_the_code() -> None:
    image = qr_image(TEXT)
    drawn = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", image.path):
        drawn |= {(int(x) + step, int(y)) for step in range(int(width))}
    rows = list(segno.make(TEXT, error="m", micro=False).matrix_iter())
    wanted = {(x, y) for y, row in enumerate(rows) for x, dark in enumerate(row) if dark}
    assert drawn == wanted
    assert len(rows) == image.size


def test_a_quiet_zone_is_around_it() -> None:
    image = qr_image(TEXT)
    places = [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h", image.path)]
    assert min(x for x, _ in places) == min(y for _, y in places) == 4
    assert max(y for _, y in places) == image.size - 5


def test_the_path_has_no_other_signs() -> None:
    assert re.fullmatch(r"[Mhvz0-9 -]+", qr_image('"><script>').path)
