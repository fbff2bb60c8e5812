"""`restante files`: where an installation has the files that belong to other programs."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Annotated, Final

import typer

from restante.cli.display import say, show_json
from restante.cli.failures import Exit, Failure
from restante.cli.options import JsonOption

_SHARED: Final = "/share/"


def files(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Only this file, such as restante.service."),
    ] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Show where this installation has the systemd unit, alert rules, dashboard and man pages.

    With a file's name, only its path is printed: `cp "$(restante files restante.service)"
    /etc/systemd/system/`.
    """
    found = shared_files("restante")
    chosen = [place for place in found if name in (None, place.name)]
    if not chosen:
        raise Failure(Exit.NO_INPUT, _absent(name, found))
    if as_json:
        show_json([str(place) for place in chosen])
        return
    for place in chosen:
        say(str(place))


def shared_files(package: str) -> Sequence[Path]:
    """Return the files that an installed package has beside its modules, by path.

    Of the man pages, only the first is listed. Files that somebody removed are not listed: before
    version 3.12, Python does not look.
    """
    return sorted(_shared(package))


def _shared(package: str) -> Iterator[Path]:
    try:
        listed = distribution(package).files or []
    except PackageNotFoundError:
        return
    for file in listed:
        is_further_page = file.suffix == ".1" and file.stem != package
        if file.parts[0] == ".." and _SHARED in file.as_posix() and not is_further_page:
            place = Path(str(file.locate())).resolve()
            if place.exists():
                yield place


def _absent(name: str | None, found: Sequence[Path]) -> str:
    if not found:
        cause = "this installation was not made from a wheel"
        return f"files: {cause}; look into contrib/ of the checkout"
    return f"{name}: no such file belongs to Restante; `restante files` lists them"
