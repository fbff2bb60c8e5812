"""The texts that PostgreSQL can read as an address, as a regular expression of it. Pure.

A cast of any other text ends the whole query, and an import can bring any text. Addresses of
sessions are IPv4, or IPv6 as `ipaddress` spells it.
"""

from typing import Final

_OCTET: Final = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_GROUP: Final = "[0-9a-f]{1,4}"
_SHORTENED: Final = [  # so many groups before the two colons, and at most so many after them
    f"(?:{_GROUP}:){{{before}}}(?::{_GROUP}){{1,{7 - before}}}" for before in range(1, 7)
]
ADDRESS_PATTERN: Final = "^(?:{})$".format(
    "|".join(
        [
            f"(?:{_OCTET}[.]){{3}}{_OCTET}",
            f"(?:{_GROUP}:){{7}}{_GROUP}",
            f"(?:{_GROUP}:){{1,7}}:",
            *_SHORTENED,
            f":(?::{_GROUP}){{1,7}}",
            "::",
            f"::ffff:(?:{_OCTET}[.]){{3}}{_OCTET}",  # as Python spells it since 3.13
        ]
    )
)
