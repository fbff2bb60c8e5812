"""The settings for mail that has a bad sign. Nothing is looked up with the defaults."""

from collections.abc import Mapping
from typing import Annotated, Final, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from restante.checks.milter_settings import MilterSettings
from restante.checks.rspamd_settings import RspamdSettings
from restante.mail.address import canonical_domain
from restante.network.setting_error import setting_error

MOST_LISTS: Final = 20
MOST_MILTERS: Final = 5
MOST_WEIGHT: Final = 1000


class DnsListSetting(NamedTuple):
    """A DNS block list, and its weight."""

    zone: str
    weight: int


def _setting(text: str) -> DnsListSetting:
    """Read `ZONE` or `ZONE*WEIGHT`. Raises ValueError."""
    zone, star, weight = text.partition("*")
    if star and not (weight.isascii() and weight.isdecimal() and 0 < int(weight) <= MOST_WEIGHT):
        raise ValueError(f"{text!r} has no weight from 1 to {MOST_WEIGHT}")
    return DnsListSetting(canonical_domain(zone), int(weight or 1))


def _check(text: str) -> str:
    _setting(text)
    return text


def _check_names(milters: tuple[MilterSettings, ...]) -> tuple[MilterSettings, ...]:
    if len({one.name for one in milters}) < len(milters):
        raise setting_error("have one name twice", "give each a name of its own")
    return milters


class HygieneSettings(BaseModel):
    """`[hygiene]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dnsbl: Annotated[
        tuple[Annotated[str, AfterValidator(_check)], ...], Field(max_length=MOST_LISTS)
    ] = Field(
        default=(),
        description="DNS block lists in which the addresses of clients that bring mail are looked"
        " up, as `ZONE` or `ZONE*WEIGHT`. Without a weight, it is 1. Empty: nothing is looked up.",
        examples=[["zen.dnsbl.example*2", "bl.dnsbl.example"]],
    )
    dnsbl_threshold: Annotated[int, Field(ge=1)] = Field(
        default=1,
        description="Sum of the weights of lists from which a client counts as listed.",
    )
    spf: bool = Field(
        default=False,
        description="Whether SPF (RFC 7208) is evaluated for the domain of the reverse-path, or for"
        " the EHLO name with the null reverse-path. The result `fail` is a bad sign.",
    )
    greeting_pause: Annotated[float, Field(ge=0, le=6)] = Field(
        default=0.0,
        description="Seconds that a new client of an `mx` listener waits for the greeting, up to a"
        " second more. A client that speaks before it has a bad sign. Clients that have waited are"
        " greeted at once for a day, and so are authorized hosts. 0: no pause.",
    )

    greylist: bool = Field(
        default=False,
        description="Whether mail that comes for the first time gets `450`. It passes when it comes"
        " again, after 5 minutes and within a day. Only for domains with `--hygiene defer`, and"
        " only while their destination is up.",
    )
    rspamd: RspamdSettings = Field(
        default=RspamdSettings(), description="rspamd as a filter of content."
    )
    milters: Annotated[
        tuple[MilterSettings, ...],
        Field(max_length=MOST_MILTERS),
        AfterValidator(_check_names),
    ] = Field(
        default=(),
        description="Milters that examine each message at the end of its content, all at once."
        " With them, the names of clients are looked up as with `reception.ptr`.",
    )

    @property
    def weights(self) -> Mapping[str, int]:
        """The weight of each list, by its zone."""
        return dict(map(_setting, self.dnsbl))
