"""`restante apply`: bring the records to the state that a file declares."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer

from restante.cli.api_client import connected
from restante.cli.configuration_reading import EntryFields, read_configuration, request_lines
from restante.cli.display import JsonObject, say, show_json
from restante.cli.failures import BY_KIND, Exit, Failure, complain, warn
from restante.cli.options import ConfigOption, JsonOption, with_options
from restante.mail.quantity import counted

FORMATS: Final = {".csv": "csv", ".json": "json", ".toml": "toml"}
_SECONDS: Final = 900.0  # without a line of the answer: DNS may be away
_PAST: Final = {"add": "added", "change": "changed", "remove": "removed"}
_STDIN: Final = "-"

ConfigurationFormat = Literal["toml", "json", "csv"]


_EXTENT: Final[Mapping[str, Any]] = {
    "dry_run": Annotated[
        bool, typer.Option("--dry-run", help="Show what would be changed, and change nothing.")
    ],
    "prune": Annotated[
        bool,
        typer.Option(
            "--prune",
            help="In the accounts that the file names, remove what it does not name, and give"
            " other fields their defaults.",
        ),
    ],
    "prune_accounts": Annotated[
        bool,
        typer.Option(
            "--prune-accounts", help="Like --prune, and remove accounts that the file lacks."
        ),
    ],
}


def _extent(given: Mapping[str, Any]) -> JsonObject:
    """Return the changes that are wanted, as the API takes them."""
    return {
        "prune": "accounts" if given["prune_accounts"] else "records" if given["prune"] else None,
        "dry_run": True if given["dry_run"] else None,
    }


def _with_extent(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command the options of the changes that are wanted."""
    return with_options(command, "extent", _EXTENT, _extent)


@_with_extent
def apply(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="TOML, JSON, or CSV with domains; - for stdin."),
    ],
    *,
    extent: JsonObject,
    form: Annotated[
        ConfigurationFormat | None,
        typer.Option("--format", help="Format of FILE. Default: by its ending, or toml."),
    ] = None,
    as_json: JsonOption = False,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="TEXT",
            help="Reason for the audit trail. Required with --prune and --prune-accounts.",
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Bring accounts, logins, domains, recipients and channels to the state of a file.

    All of it is checked before anything changes. A second run changes nothing.
    """
    entries = _read(file, form)
    outcome = ApplyOutcome(is_dry_run=bool(extent["dry_run"]))
    params = {**extent, "reason": reason}
    try:
        asyncio.run(_apply(config, entries, params, outcome, as_json=as_json))
    finally:
        _show_end(outcome, as_json=as_json)
    if outcome.summary is None:
        error = f"apply: the server stopped after {counted(len(outcome.steps), 'change')}"
        raise Failure(Exit.TRY_LATER, f"{error}; run the same command again")
    if outcome.failures:
        raise typer.Exit(BY_KIND.get(outcome.failures[0]["kind"], Exit.UNAVAILABLE))


@dataclass(slots=True)
class ApplyOutcome:
    """The lines of the answer, so far."""

    is_dry_run: bool
    steps: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    summary: dict[str, Any] | None = None  # None: the answer is not whole

    def take(self, line: dict[str, Any]) -> None:
        """Keep a line."""
        if "step" in line:
            self.steps.append(line["step"])
        elif "failure" in line:
            self.failures.append(line["failure"])
        elif "warning" in line:
            self.warnings.append(line["warning"])
        else:
            self.summary = line["summary"]

    @property
    def secrets(self) -> list[dict[str, Any]]:
        """The passwords and keys that were made."""
        return [
            {key: step[key] for key in ("thing", "name", "account", "secret")}
            for step in self.steps
            if "secret" in step
        ]


def _read(file: str, form: str | None) -> list[EntryFields]:
    """Return the entries of a file. Raises Failure with all that is wrong in it."""
    path = Path(file)
    try:
        text = sys.stdin.read() if file == _STDIN else path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Failure(Exit.DATA, f"{file}: is not UTF-8; write it so") from None
    except OSError as error:
        remedy = "name a file, or - for standard input"
        raise Failure(Exit.NO_INPUT, f"{file}: {error.strerror}; {remedy}") from None
    name, base = ("stdin", Path()) if file == _STDIN else (file, path.parent)
    found = read_configuration(text, form or FORMATS.get(path.suffix.lower(), "toml"), name, base)
    if found.problems:
        raise Failure(Exit.DATA, *found.problems)
    return found.entries


async def _apply(
    config: Path | None,
    entries: Iterable[EntryFields],
    params: dict[str, Any],
    outcome: ApplyOutcome,
    *,
    as_json: bool,
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for line in request_lines(entries):
            yield line

    async with connected(config, seconds=_SECONDS, is_streaming=True) as api:
        async for line in api.exchange("/v1/apply", body(), params=params):
            outcome.take(line)
            if not as_json:
                _tell(line, is_dry_run=outcome.is_dry_run)


def _tell(line: dict[str, Any], *, is_dry_run: bool) -> None:
    if "step" in line:
        step = line["step"]
        done = _PAST[step["verb"]]
        say(f"{_thing(step)}: {f'would be {done}' if is_dry_run else done}")
        for change in step["changes"] if step["verb"] == "change" else ():
            say(f"  {change['field']}: {change['before']} → {change['after']}")
    elif "failure" in line:
        failure = line["failure"]
        what = "would not be" if is_dry_run else "was not"
        text = f"{_thing(failure)} {what} {_PAST[failure['verb']]}"
        cause = _without_thing(failure["error"], failure)
        complain(f"{text}: {cause}; {failure['remedy']}")
    elif "warning" in line:
        warn([line["warning"]])


def _without_thing(error: str, failure: dict[str, Any]) -> str:
    """Return the cause in an error that may begin with its thing, which the line has already."""
    kind, name = failure["thing"], failure["name"]
    for thing in (f"{kind} {name}", f"notice channel {name}", f"recipients of {name}"):
        error = error.removeprefix(f"{thing}: ")
    return error


def _thing(step: dict[str, Any]) -> str:
    owner = step["account"] or "the operator"
    match step["thing"]:
        case "channel":
            return f"notice channel {step['name']} of {owner}"
        case "login":
            return f"login {step['name']} of {owner}"
        case "recipients":
            return f"recipients of {step['name']}"
    return f"{step['thing']} {step['name']}"


def _show_end(outcome: ApplyOutcome, *, as_json: bool) -> None:
    """Show the result. Secrets that were made are shown whatever has happened since."""
    if as_json:
        if outcome.summary is not None or outcome.steps:
            show_json(_document(outcome))
        return
    if outcome.summary is not None:
        say(_summary(outcome.summary))
    if outcome.secrets:
        complain("the following passwords and keys are shown only once")
        for one in outcome.secrets:
            say(f"{_thing(one)}: {one['secret']}")


def _summary(summary: dict[str, Any]) -> str:
    counts = {
        "added": summary["added"],
        "changed": summary["changed_records"],
        "removed": summary["removed"],
        "failed": summary["failed"],
    }
    if not any(counts.values()):
        return f"no change; {counted(summary['unchanged'], 'record is', 'records are')} as declared"
    parts = [f"{number} {word}" for word, number in counts.items() if number or word != "failed"]
    ending = " (dry run: nothing was changed)" if summary["is_dry_run"] else ""
    return f"{', '.join(parts)}, {summary['unchanged']} unchanged{ending}"


def _document(outcome: ApplyOutcome) -> dict[str, Any]:
    summary = outcome.summary or {}
    return {
        "changed": bool(outcome.steps),
        "is_dry_run": outcome.is_dry_run,
        "is_complete": outcome.summary is not None,
        "steps": [
            {key: value for key, value in step.items() if key != "secret"} for step in outcome.steps
        ],
        "failures": outcome.failures,
        "warnings": outcome.warnings,
        "secrets": outcome.secrets,
        "unchanged": summary.get("unchanged"),
    }
