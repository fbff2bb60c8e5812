"""A QR code as the path of an SVG image: templates draw it, and no markup needs to be trusted."""

from dataclasses import dataclass

import segno


@dataclass(frozen=True, slots=True)
class QrImage:
    """An image of square modules, with its quiet zone."""

    size: int  # modules of a side
    path: str  # of the dark modules, in the syntax of SVG


def qr_image(text: str) -> QrImage:
    """Return the QR code of a text. It takes some milliseconds: call it in a thread."""
    code = segno.make(text, error="m", micro=False)
    rows = [list(row) for row in code.matrix_iter()]
    pieces: list[str] = []
    for y, row in enumerate(rows):
        begin: int | None = None
        for x, is_dark in enumerate([*row, 0]):
            if is_dark and begin is None:
                begin = x
            elif not is_dark and begin is not None:
                pieces.append(f"M{begin} {y}h{x - begin}v1h-{x - begin}z")
                begin = None
    return QrImage(len(rows), "".join(pieces))
