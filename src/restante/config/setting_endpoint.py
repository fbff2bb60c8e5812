"""An address and a port in a setting. Pure."""

import ipaddress

from restante.network.addresses import split_host_port, unmapped
from restante.network.setting_error import setting_error


def checked_endpoint(text: str, default_port: int | None, remedy: str) -> tuple[str, int]:
    """Return address and port. An IPv4-mapped address is one of IPv4; a zone is kept.

    Raises the error of a setting.
    """
    try:
        host, port = split_host_port(text, default_port)
        return str(unmapped(ipaddress.ip_address(host))), port
    except ValueError as error:
        raise setting_error(str(error).replace(repr(text), "it"), remedy) from None
