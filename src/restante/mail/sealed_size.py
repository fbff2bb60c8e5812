"""How many octets sealed content has. A function of the plain octets alone, in both directions.

So a row needs no second size, and quotas, SIZE and listings count the octets that a sender sent.
`store/sealing/sealed_form` writes the form.
"""

from typing import Final

CHUNK: Final = 32 * 1024  # plain octets of a file that are sealed at once
TAG: Final = 16  # octets that a seal adds (AES-GCM)
FILE_KEY: Final = 32
HEAD_EXTRA: Final = 1 + 12 + TAG  # the version, the nonce, the tag
REPORT_EXTRA: Final = 1 + 8 + 12 + TAG  # likewise, with the name of the key


def sealed_file_octets(plain: int) -> int:
    """Return the octets of a sealed file: each chunk has a tag, and there is at least one."""
    return plain + TAG * max(1, -(-plain // CHUNK))


def plain_file_octets(sealed: int) -> int:
    """Return the octets of content in a sealed file of this size."""
    return sealed - TAG * -(-sealed // (CHUNK + TAG))


def plain_head_octets(sealed: int, *, has_file: bool) -> int:
    """Return the octets of content in a sealed head; that of a file begins with the file's key."""
    return sealed - HEAD_EXTRA - FILE_KEY * has_file
