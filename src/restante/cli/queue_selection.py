"""Which messages a queue command is about: filters, counted before anything is done, and the question that follows."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import typer

from restante.cli.api_client import Api
from restante.cli.display import human_size
from restante.cli.failures import Exit, Failure
from restante.cli.options import octets, seconds
from restante.cli.progress import progress
from restante.mail.quantity import counted

PAGE = 10_000  # messages named in one answer

Domain = Annotated[
    str | None, typer.Option("--domain", metavar="DOMAIN", help="Only this domain's mail.")
]
ReversePath = Annotated[
    str | None,
    typer.Option("--reverse-path", metavar="PATH", help="Only mail from it; <> is the null path."),
]
Recipient = Annotated[
    str | None,
    typer.Option(
        "--recipient",
        metavar="PATTERN",
        help="Only mail to it: * and ? stand for any; case does not matter.",
    ),
]
Older = Annotated[
    int | None,
    typer.Option("--older", metavar="AGE", parser=seconds, help="Only older: 90m, 3h, 2d, 1w."),
]
Larger = Annotated[
    int | None,
    typer.Option("--larger", metavar="SIZE", parser=octets, help="Only larger: 500, 64K, 10M."),
]
Status = Annotated[
    Literal["held", "refused", "uncertain"] | None,
    typer.Option("--status", help="Only with a recipient that is so."),
]
Parked = Annotated[
    Literal["refused", "uncertain"],
    typer.Option("--status", help="Which mail, where no names are given."),
]
Every = Annotated[bool, typer.Option("--all", help="Everything, of every domain.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")]


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters as the API takes them; None means any."""

    domain: str | None = None
    reverse_path: str | None = None
    recipient: str | None = None
    older: int | None = None
    larger: int | None = None
    status: str | None = None

    @property
    def params(self) -> dict[str, Any]:
        """The filters that are set."""
        given = {name: getattr(self, name) for name in self.__slots__}
        if self.reverse_path is not None:
            given["reverse_path"] = self.reverse_path.removeprefix("<").removesuffix(">")
        return {name: value for name, value in given.items() if value is not None}


@dataclass(slots=True)
class SelectionCount:
    """The messages that something is to be done with: just these, whatever comes in meanwhile."""

    names: list[str] = field(default_factory=list)
    octets: int = 0
    domains: set[str] = field(default_factory=set)
    shared: int = 0  # that have recipients besides those who match

    def __str__(self) -> str:
        whose = (
            next(iter(self.domains))
            if len(self.domains) == 1
            else counted(len(self.domains), "domain")
        )
        shared = (
            f" ({self.shared} of them to others too, who are concerned as well)"
            if self.shared
            else ""
        )
        return (
            f"{counted(len(self.names), 'message')}, {human_size(self.octets)}, of {whose}{shared}"
        )


async def count(api: Api, selection: Selection) -> SelectionCount:
    """Name and count all that match. Raises Failure."""
    found = SelectionCount()
    with progress("counting") as advance:
        while page := await _page(api, selection, found.names):
            found.names += page["names"]
            found.octets += page["octets"]
            found.domains.update(page["domains"])
            found.shared += page["shared"]
            advance(len(page["names"]))
    return found


async def _page(api: Api, selection: Selection, before: Sequence[str]) -> dict[str, Any] | None:
    if before and len(before) % PAGE:
        return None  # the last page was not full
    params = selection.params | {"limit": PAGE} | ({"after": before[-1]} if before else {})
    page: dict[str, Any] = await api.ask("GET", "/v1/queue/selection", params=params)
    return page if page["names"] else None


def confirm(command: str, what: str, verb: str, *, is_confirmed: bool) -> None:
    """Ask, unless that is answered already. Raises Failure where there is nobody to ask, typer.Abort for a no."""
    if is_confirmed:
        return
    if not sys.stdin.isatty():
        raise Failure(
            Exit.USAGE, f"{command}: {what}: there is nobody to ask; say --yes if it is meant"
        )
    typer.confirm(f"{what}: {verb}?", abort=True)


def require_choice(
    command: str, names: Sequence[str], selection: Selection, *, is_all: bool
) -> None:
    """Raise Failure unless messages are said in exactly one way: by names, by filters, or all."""
    if sum((bool(names), bool(selection.params), is_all)) != 1:
        remedy = "give names, or filters such as --domain, or --all"
        raise Failure(
            Exit.USAGE, f"{command}: which messages is said in no way, or in several; {remedy}"
        )
