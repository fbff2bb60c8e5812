"""SASLprep (RFC 4013), for SCRAM: the one form of user names and passwords.

Code points that Unicode 3.2 does not assign are left alone. A text that SASLprep refuses is used as
typed.
"""

from __future__ import annotations

import stringprep
import unicodedata

_PROHIBITED = (  # RFC 4013 §2.3
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


def prepared_text(text: str) -> str:
    """Return the prepared form, or the text itself if it has none."""
    if text.isascii():
        return text
    mapped = "".join(map(_mapped, text))
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibits(letter) for letter in normal for prohibits in _PROHIBITED):
        return text
    return normal if _is_one_direction(normal) else text


def _mapped(letter: str) -> str:
    if stringprep.in_table_b1(letter):
        return ""
    return " " if stringprep.in_table_c12(letter) else letter


def _is_one_direction(text: str) -> bool:
    """Tell whether text from right to left is not mixed with the other (RFC 3454 §6)."""
    if not any(map(stringprep.in_table_d1, text)):
        return True
    is_framed = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    return is_framed and not any(map(stringprep.in_table_d2, text))
