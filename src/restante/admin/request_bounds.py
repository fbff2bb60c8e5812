"""The bounds that the fields of requests share: of texts, lists, times and numbers.

Requests are checked on the event loop, and their values are stored, hashed and sent. So every field
has a bound. A text with a bound also has whole characters. JSON can write one half of a pair
of surrogates (RFC 8259, section 8.2), which UTF-8 cannot express. Pydantic refuses such a text
where it counts characters, except in a secret.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
)
from pydantic.types import AllowInfNan
from pydantic_core import CoreSchema

from restante.admin.admin_error import AdminError, ErrorKind
from restante.tenancy.model import parse_network

LAST_MOMENT: Final = 253_402_300_799  # the last second of the year 9999, Unix time
LONGEST_SPAN: Final = 100 * 366 * 86_400  # seconds: a time from now on is a time, too
MOST_HOSTS: Final = 1000  # authorized hosts in one request, for each field
MOST_CHOICES: Final = 100  # kinds, scopes, pins
MOST_RECIPIENTS: Final = 100_000  # of a list: a whole request has room for no more
LINE_LENGTH: Final = 1024  # characters of a name, an address, a reason
PEM_LENGTH: Final = 131_072  # characters: `domain_change` has a lower bound, with its remedy
SECRET_LENGTH: Final = 4096  # characters


@dataclass(frozen=True, slots=True)
class AtMost:
    """The most items of a list.

    Pydantic counts the good items only. So a list also ends at its first bad item: otherwise it
    would note a fault for each of a hundred thousand. (`FailFast` says the same, but cannot be part
    of a union in Python 3.11.)
    """

    items: int

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Return the schema of the list with the bound."""
        schema: Any = handler(source)
        return {**schema, "max_length": self.items, "fail_fast": True}


def check_span(since: float | None, until: float | None) -> None:
    """Raise AdminError for a span of time that ends before it begins. Unix time; None: open."""
    if since is not None and until is not None and since >= until:
        raise AdminError(
            ErrorKind.INVALID, "until: is not later than since", "give an earlier --since"
        )


def _address_range(text: str) -> str:
    parse_network(text)
    return text


def _whole(secret: SecretStr) -> SecretStr:
    try:
        secret.get_secret_value().encode()
    except UnicodeEncodeError:
        raise ValueError("must be text of whole characters") from None
    return secret


def _within_time(moment: datetime) -> datetime:
    try:
        is_within = 0 <= moment.timestamp() <= LAST_MOMENT
    except (ValueError, OverflowError):  # local time in the year 1
        is_within = False
    if not is_within:
        raise ValueError("must be a time from 1970 to 9999")
    return moment


def _no_flag(value: object) -> object:
    """Refuse true and false as a number: Pydantic takes them as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004  Pydantic shows this one
    return value


def _a_second(seconds: float) -> float:
    if 0 < seconds < 1:
        raise ValueError("must be 0, or at least one second")
    return seconds


UnixTime = Annotated[float, AllowInfNan(allow_inf_nan=False), Field(ge=0, le=LAST_MOMENT)]
Span = Annotated[  # seconds
    float,
    AllowInfNan(allow_inf_nan=False),
    Field(ge=0, le=LONGEST_SPAN),
    BeforeValidator(_no_flag),
]
KeptFor = Annotated[Span, AfterValidator(_a_second)]  # seconds
AnyMoment = Annotated[datetime, AfterValidator(_within_time)]  # without a zone: local time
Moment = Annotated[AwareDatetime, AfterValidator(_within_time)]
StoredNumber = Annotated[int, Field(ge=0, lt=2**63), BeforeValidator(_no_flag)]  # a 64-bit column

PathText = Annotated[str, Field(max_length=4096)]  # of a directory
LineText = Annotated[str, Field(max_length=LINE_LENGTH)]
AddressRange = Annotated[LineText, AfterValidator(_address_range)]  # an address, or a network
PemText = Annotated[str, Field(max_length=PEM_LENGTH)]
SealedText = Annotated[str, Field(max_length=SECRET_LENGTH * 4)]
Secret = Annotated[SecretStr, Field(max_length=SECRET_LENGTH), AfterValidator(_whole)]
HostList = Annotated[tuple[LineText, ...], AtMost(MOST_HOSTS)]
PinList = Annotated[tuple[LineText, ...], AtMost(MOST_CHOICES)]
RecipientNames = Annotated[tuple[LineText, ...], AtMost(MOST_RECIPIENTS)]
