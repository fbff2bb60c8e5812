"""ETRN, from the wire to the releaser (RFC 1985). The session has seen to TLS and to the moment already."""

from restante.release.releaser import Release, Releaser
from restante.release.request import Asker, ReleaseRequest
from restante.tenancy.model import IpAddress, Login


async def answer_etrn(
    releaser: Releaser, argument: str, login: Login | None, address: IpAddress
) -> Release:
    """Answer `ETRN argument` from an address; without a login it is 530, and audited like the rest."""
    return await releaser.release(ReleaseRequest(Asker(login=login, address=address), argument))
