"""The settings of a listener: its service, its address, and TLS there."""

import ipaddress
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from restante.config.section import Section
from restante.config.setting_endpoint import checked_endpoint
from restante.config.tls_settings import TlsVersion
from restante.network.addresses import join_host_port, split_host_port
from restante.network.setting_error import setting_error

WEB: Final = "web"
ACME: Final = "acme"
ODMR_SERVICES: Final = frozenset({"odmr", "odmrs"})  # of RFC 2645: they take no mail
IMPLICIT_TLS: Final = frozenset({"smtps", "odmrs"})  # services that speak TLS from the first byte


def _check_listener(text: str) -> str:
    host, port = checked_endpoint(
        text, None, 'write ADDRESS:PORT, such as "0.0.0.0:25" or "[::]:25"'
    )
    return join_host_port(host, port)


class Listen(Section):
    """One `[[listen]]`: an address that accepts connections, and its protocol."""

    service: Literal["mx", "smtps", "odmr", "odmrs", "web", "acme"] = Field(
        description="`mx`: mail and ETRN, with TLS by STARTTLS. `smtps`: the same, with TLS from"
        " the first byte. `odmr`: ATRN and ETRN (RFC 2645, port 366), with TLS by STARTTLS."
        " `odmrs`: the same, with TLS from the first byte. `web`: the API and the portal over"
        " HTTP. `acme`: the answers to an authority (HTTP-01) for `[acme]`, at port 80.",
        examples=["mx"],
    )
    address: Annotated[str, AfterValidator(_check_listener)] = Field(
        description="Address and port. `0.0.0.0:25` means every IPv4 address of this machine,"
        " `[::]:25` every IPv6 address. Port 0: any free port.",
        examples=["0.0.0.0:25"],
    )
    tls_minimum: TlsVersion | None = Field(
        default=None,
        description="Oldest TLS version on this listener. Unset: `minimum` of `[tls]`.",
    )
    tls: bool = Field(
        default=False,
        description="Only for `web`: HTTPS with the certificates of `[tls]`. Without it, the"
        " address must be loopback, or `[web]` must name the proxies in front.",
    )
    client_certificates: bool | None = Field(
        default=None,
        description="Only for `odmr` and `odmrs`: ask each client for a certificate, which can"
        " prove its login. A client that shows one that no login has fails in the handshake, even"
        " if it has a password. Unset: true.",
        examples=[False],
    )

    @model_validator(mode="after")
    def _only_odmr_asks(self) -> Self:
        if self.client_certificates is not None and self.service not in ODMR_SERVICES:
            cause = f"client_certificates is no setting of {self.service}"
            raise setting_error(
                cause, "remove it: only odmr and odmrs listeners ask for certificates"
            )
        return self

    @model_validator(mode="after")
    def _only_web_has_a_choice(self) -> Self:
        if self.tls and self.service != WEB:
            has = "no TLS" if self.service == ACME else "TLS always"
            raise setting_error(
                f"tls is not a setting of {self.service}, which has {has}", "remove tls"
            )
        return self

    @property
    def asks_for_certificates(self) -> bool:
        """Whether clients are asked for a certificate."""
        return self.service in ODMR_SERVICES and self.client_certificates is not False

    @property
    def is_http(self) -> bool:
        """Whether it serves HTTP, and no mail."""
        return self.service in {WEB, ACME}

    @property
    def has_tls(self) -> bool:
        """Whether it uses the server's certificates."""
        return not self.is_http or self.tls

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return ipaddress.ip_address(self.endpoint[0].partition("%")[0]).is_loopback

    @property
    def endpoint(self) -> tuple[str, int]:
        """Address and port to bind."""
        return split_host_port(self.address)


def meet(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Return whether the second of two binds would fail. An IPv6 wildcard binds no IPv4 here."""
    if one[1] != other[1] or one[1] == 0:
        return False
    addresses = (ipaddress.ip_address(one[0]), ipaddress.ip_address(other[0]))
    if addresses[0].version != addresses[1].version:
        return False
    return addresses[0] == addresses[1] or any(address.is_unspecified for address in addresses)
