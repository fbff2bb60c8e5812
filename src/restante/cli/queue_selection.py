"""Select the messages of a queue command: filters, a count before the change, a question."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeVar

import typer

from restante.cli.api_client import ApiClient
from restante.cli.display import human_size
from restante.cli.failures import Exit, Failure
from restante.cli.options import parse_octets, seconds, with_options
from restante.cli.progress import progress
from restante.mail.quantity import counted

PAGE = 10_000  # messages in one response

_Result = TypeVar("_Result")


def _address_range(text: str) -> str:
    """Check an address or a network. Raises BadParameter."""
    from restante.tenancy.model import parse_network  # noqa: PLC0415  heavy

    try:
        return str(parse_network(text))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


QueueDomainOption = Annotated[
    str | None, typer.Option("--domain", metavar="DOMAIN", help="Only this domain's mail.")
]
ReversePathOption = Annotated[
    str | None,
    typer.Option(
        "--reverse-path",
        metavar="PATH",
        help="Only mail with this reverse-path; <> is the null path.",
    ),
]
RecipientOption = Annotated[
    str | None,
    typer.Option(
        "--recipient",
        metavar="PATTERN",
        help="Only mail to this recipient. * and ? are wildcards; case is ignored.",
    ),
]
OlderOption = Annotated[
    int | None,
    typer.Option(
        "--older", metavar="AGE", parser=seconds, help="Only mail older than this: 90m, 3h, 2d, 1w."
    ),
]
LargerOption = Annotated[
    int | None,
    typer.Option(
        "--larger",
        metavar="SIZE",
        parser=parse_octets,
        help="Only mail larger than this: 500, 64K, 10M.",
    ),
]
MessageIdOption = Annotated[
    str | None,
    typer.Option(
        "--message-id", metavar="ID", help="Only mail with this Message-ID, with or without <>."
    ),
]
FromAddressOption = Annotated[
    str | None,
    typer.Option(
        "--from-address",
        metavar="ADDRESS|CIDR",
        parser=_address_range,
        help="Only mail that a client at this address, or in this network, has brought.",
    ),
]
StatusOption = Annotated[
    Literal["held", "refused", "uncertain", "damaged"] | None,
    typer.Option("--status", help="Only mail with a recipient of this status."),
]
ParkedStatusOption = Annotated[
    Literal["refused", "uncertain", "damaged"] | None,
    typer.Option(
        "--status",
        help="Only recipients of this status. Default without names: refused; --all includes no"
        " other.",
        show_default=False,
    ),
]
AllMailOption = Annotated[bool, typer.Option("--all", help="All mail of every domain.")]


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """Filters in the form of the API; None means any."""

    domain: str | None = None
    reverse_path: str | None = None
    recipient: str | None = None
    older: int | None = None
    larger: int | None = None
    message_id: str | None = None
    from_address: str | None = None
    status: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The filters that are set."""
        given = {name: getattr(self, name) for name in self.__slots__}
        if self.reverse_path is not None:
            given["reverse_path"] = self.reverse_path.removeprefix("<").removesuffix(">")
        return {name: value for name, value in given.items() if value is not None}


_OPTIONS: Final[Mapping[str, Any]] = {
    "domain": QueueDomainOption,
    "reverse_path": ReversePathOption,
    "recipient": RecipientOption,
    "older": OlderOption,
    "larger": LargerOption,
    "message_id": MessageIdOption,
    "from_address": FromAddressOption,
    "status": StatusOption,
}


def with_selection(command: Callable[..., _Result]) -> Callable[..., _Result]:
    """Add these options to a command, which gets them as `selection`."""
    return with_options(command, "selection", _OPTIONS, _selection)


def with_parked_selection(command: Callable[..., _Result]) -> Callable[..., _Result]:
    """Add the same options; the status is one of mail that is not held."""
    options = {**_OPTIONS, "status": ParkedStatusOption}
    return with_options(command, "selection", options, _selection)


def _selection(given: Mapping[str, Any]) -> SelectionOptions:
    return SelectionOptions(**given)


@dataclass(slots=True)
class SelectionCount:
    """The messages to change. Mail that arrives later is not among them."""

    names: list[str] = field(default_factory=list)
    octets: int = 0
    domains: set[str] = field(default_factory=set)
    shared: int = 0  # messages that also have recipients without a match

    def __str__(self) -> str:
        whose = (
            next(iter(self.domains))
            if len(self.domains) == 1
            else counted(len(self.domains), "domain")
        )
        shared = (
            f" ({self.shared} of them also for other recipients, who are affected too)"
            if self.shared
            else ""
        )
        return (
            f"{counted(len(self.names), 'message')}, {human_size(self.octets)}, of {whose}{shared}"
        )


async def count_matching(api: ApiClient, selection: SelectionOptions) -> SelectionCount:
    """Return the names and number of all matching messages. Raises Failure."""
    found = SelectionCount()
    with progress("counting") as advance:
        while page := await _page(api, selection, found.names):
            found.names += page["names"]
            found.octets += page["octets"]
            found.domains.update(page["domains"])
            found.shared += page["shared"]
            advance(len(page["names"]))
    return found


async def _page(
    api: ApiClient, selection: SelectionOptions, before: Sequence[str]
) -> dict[str, Any] | None:
    if before and len(before) % PAGE:
        return None  # the last page was not full
    params = selection.params | {"limit": PAGE} | ({"after": before[-1]} if before else {})
    page: dict[str, Any] = await api.ask("GET", "/v1/queue/selection", params=params)
    return page if page["names"] else None


def confirm(command: str, what: str, verb: str, *, is_confirmed: bool) -> None:
    """Ask for confirmation unless it is given.

    Raises Failure if standard input is no terminal, and typer.Abort for the answer no.
    """
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise Failure(
            Exit.USAGE,
            f"{command}: {what}: cannot ask for confirmation without a terminal; pass --yes",
        )
    typer.confirm(f"{what}: {verb}?", abort=True)


def require_choice(
    command: str, names: Sequence[str], selection: SelectionOptions, *, is_all: bool
) -> None:
    """Raise Failure unless messages are chosen in exactly one way: names, filters or all."""
    if sum((bool(names), bool(selection.params), is_all)) != 1:
        remedy = "give names, or filters such as --domain, or --all"
        raise Failure(
            Exit.USAGE, f"{command}: messages must be chosen in exactly one way; {remedy}"
        )
