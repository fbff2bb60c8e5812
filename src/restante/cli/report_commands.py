"""`restante report`: delivery reports to senders, waiting to be sent."""

import asyncio
from typing import Annotated, Final

import typer

from restante.cli.api_client import PAGE, ApiClient, ask, connected
from restante.cli.display import (
    Column,
    JsonObject,
    human_size,
    human_time,
    number_column,
    say,
    show_json,
    show_listing,
    show_record,
    size_column,
    text_column,
    time_column,
)
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import ConfigOption, JsonOption, ReasonOption, RowsOption, YesOption
from restante.cli.queue_selection import confirm
from restante.mail.quantity import counted
from restante.phrases import REPORT_GONE, REPORT_MAY_HAVE_LEFT

group = typer.Typer(name="report", help="Delivery reports to senders, waiting to be sent.")

AT_ONCE: Final = 1000  # reports in one request

COLUMNS = (
    number_column("NUMBER", "number"),
    text_column("ACTION", "action"),
    Column("TO", lambda row: f"<{row['to']}>"),
    text_column("MESSAGE", "message"),
    text_column("DOMAIN", "domain"),
    size_column("SIZE", "size"),
    number_column("FAILURES", "failures"),
    time_column("NEXT ATTEMPT", "next_attempt_at"),
    text_column("LAST ERROR", "reply", is_detail=True),
)

ReportDomainOption = Annotated[
    str | None,
    typer.Option("--domain", metavar="DOMAIN", help="Only reports on mail of this domain."),
]
ReportToOption = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="PATTERN", help="Only to these reverse-paths; * and ? are wildcards."
    ),
]


@group.command("list")
def list_reports(
    *,
    domain: ReportDomainOption = None,
    to: ReportToOption = None,
    limit: RowsOption = 1000,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List reports that wait to be sent, oldest first."""
    reports = ask(config, "GET", "/v1/reports", params={"domain": domain, "to": to}, most=limit)
    show_listing(reports, COLUMNS, as_json=as_json, thing="report waits", things="reports wait")
    if len(reports) == limit:
        shown = counted(limit, "report is", "reports are")
        complain(f"report: {shown} shown, there may be more; raise --limit")


@group.command("show")
def show(
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", min=1, help="The report by its number in `report list`."),
    ],
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show a report: its recipient, the attempts to send it, and its text.

    The returned part of the original mail is not shown.
    """
    report = ask(config, "GET", f"/v1/reports/{number}")
    if as_json:
        show_json(report)
    else:
        _show(report)


@group.command("drop")
def drop(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="[NUMBER]",
            min=1,
            help="Reports by their numbers in `report list`; or use filters.",
        ),
    ] = None,
    *,
    reason: ReasonOption,
    domain: ReportDomainOption = None,
    to: ReportToOption = None,
    is_all: Annotated[bool, typer.Option("--all", help="All waiting reports.")] = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Delete waiting reports. The senders of the mail get no other report.

    A report that is being sent at this moment may still arrive.
    """
    filters = {"domain": domain, "to": to}
    if sum((bool(numbers), any(filters.values()), is_all)) != 1:
        remedy = "give numbers, or --domain or --to, or --all"
        raise Failure(
            Exit.USAGE, f"report drop: reports must be chosen in exactly one way; {remedy}"
        )

    dropped, missing = asyncio.run(_drop_chosen(config, numbers, filters, reason, is_confirmed=yes))
    say(f"{counted(dropped, 'report')} dropped")
    if missing and numbers:
        texts = (f"report {number}: {REPORT_GONE}; {REPORT_MAY_HAVE_LEFT}" for number in missing)
        raise Failure(Exit.NO_INPUT, *texts)


async def _drop_chosen(
    config: ConfigOption,
    numbers: list[int] | None,
    filters: dict[str, str | None],
    reason: str,
    *,
    is_confirmed: bool,
) -> tuple[int, list[int]]:
    async with connected(config) as api:
        chosen = numbers or await _numbers(api, filters)
        if chosen:
            many = counted(len(chosen), "report")
            confirm("report drop", many, "drop, and tell nobody", is_confirmed=is_confirmed)
        return await _drop(api, chosen, reason)


async def _numbers(api: ApiClient, filters: dict[str, str | None]) -> list[int]:
    params = filters | {"limit": PAGE}
    return [report["number"] for report in await api.ask("GET", "/v1/reports", params=params)]


async def _drop(api: ApiClient, numbers: list[int], reason: str) -> tuple[int, list[int]]:
    dropped, missing = 0, []
    for start in range(0, len(numbers), AT_ONCE):
        body = {"numbers": numbers[start : start + AT_ONCE], "reason": reason}
        done = await api.ask("POST", "/v1/reports/drop", body=body)
        dropped += done["dropped"]
        missing += done["missing"]
    return dropped, missing


def _show(report: JsonObject) -> None:
    show_record(
        [
            ("number", report["number"]),
            ("action", report["action"]),
            ("to", f"<{report['to']}>"),
            ("message", report["message"]),
            ("domain", report["domain"]),
            ("made", human_time(report["made_at"])),
            ("size", human_size(report["size"])),
            ("failures", report["failures"]),
            ("next attempt", human_time(report["next_attempt_at"])),
            ("last error", report["reply"]),
        ]
    )
    for fields in (report["headers"], *report["status"]):
        say("")
        for field in fields:
            say(f"{field['name']}: {field['value']}")
