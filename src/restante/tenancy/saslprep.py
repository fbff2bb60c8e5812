"""SASLprep (RFC 4013): the one form in which user names and passwords are compared.

The tables are those of `stringprep` in the standard library (RFC 3454, Unicode 3.2). Code points
that Unicode 3.2 does not assign are left alone, in stored passwords too: people use them.
"""

import stringprep
import unicodedata
from typing import Final

_PROHIBITED: Final = (  # RFC 4013 §2.3
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


def saslprep(text: str) -> str:
    """Return the prepared form. Raises ValueError for text that has none."""
    if text.isascii():
        if not text.isprintable():
            raise ValueError("a control character is prohibited")
        return text
    mapped = "".join(_mapped(character) for character in text)  # §2.1
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)  # §2.2
    if any(is_prohibited(character) for character in normal for is_prohibited in _PROHIBITED):
        raise ValueError("a character is prohibited")
    _check_directions(normal)
    return normal


def prepared(text: str) -> str:
    """Return the form to compare: as typed if SASLprep refuses the text."""
    try:
        return saslprep(text)
    except ValueError:
        return text


def prepared_password(password: str) -> bytes:
    """Return the octets to derive keys from."""
    return prepared(password).encode("utf-8", "surrogatepass")


def forms_of(password: str) -> tuple[str, ...]:
    """Return the forms of a password that may have been used: prepared, and as typed."""
    return tuple(dict.fromkeys((prepared(password), password)))


def _mapped(character: str) -> str:
    if stringprep.in_table_b1(character):
        return ""
    return " " if stringprep.in_table_c12(character) else character


def _check_directions(text: str) -> None:
    """Raise ValueError where text from right to left is mixed with the other (RFC 3454 §6)."""
    if not any(map(stringprep.in_table_d1, text)):
        return
    is_framed = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
    if not is_framed or any(map(stringprep.in_table_d2, text)):
        raise ValueError("directions are mixed")
