"""The argument of ETRN (RFC 1985 §5.2): a domain, one with its subdomains, or an account's name."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from operator import attrgetter

from restante.mail.address import canonical_domain
from restante.tenancy.model import Directory, HostedDomain


class EtrnTargetKind(Enum):
    """The three forms."""

    DOMAIN = auto()  # `example.net`
    SUBTREE = auto()  # `@example.net`
    ACCOUNT = auto()  # `#name`


@dataclass(frozen=True, slots=True)
class EtrnTarget:
    """A target as asked for: `key` is canonical, `text` is what to say it by, in ASCII."""

    kind: EtrnTargetKind
    key: str
    text: str

    def covers(self, domain: HostedDomain) -> bool:
        """Tell whether the domain belongs to the target.

        By label: `@foo.com` never covers `barfoo.com`.
        """
        match self.kind:
            case EtrnTargetKind.DOMAIN:
                return domain.name == self.key
            case EtrnTargetKind.SUBTREE:
                return domain.name == self.key or domain.name.endswith(f".{self.key}")
            case EtrnTargetKind.ACCOUNT:
                return domain.account == self.key

    def hosted(self, directory: Directory) -> Iterator[HostedDomain]:
        """Yield the hosted domains that the target covers, of all accounts, by name."""
        if self.kind is EtrnTargetKind.DOMAIN:
            domain = directory.domains.get(self.key)
            return iter(() if domain is None else (domain,))
        if self.kind is EtrnTargetKind.ACCOUNT:
            return directory.domains_of(self.key)
        return iter(sorted(filter(self.covers, directory.domains.values()), key=attrgetter("name")))


def parse_etrn_target(argument: str) -> EtrnTarget:
    """Read an argument; case does not matter, IDN may be either form.

    Raises ValueError for anything else.
    """
    if argument.startswith("#"):
        return EtrnTarget(EtrnTargetKind.ACCOUNT, _account_name(argument[1:]), argument)
    if argument.startswith("@"):
        name = canonical_domain(argument[1:])
        return EtrnTarget(
            EtrnTargetKind.SUBTREE, name, argument if argument.isascii() else f"@{name}"
        )
    name = canonical_domain(argument)
    return EtrnTarget(EtrnTargetKind.DOMAIN, name, argument if argument.isascii() else name)


def _account_name(text: str) -> str:
    name = text.lower()
    if (
        not text.isascii()
        or not name
        or not all(letter.isalnum() or letter in "._-" for letter in name)
    ):
        raise ValueError(f"not an account's name: {text!r}")
    return name
