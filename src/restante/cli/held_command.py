"""`restante domain held`: how much mail a domain held over time."""

from typing import Annotated, Final

import typer

from restante.cli.api_client import ask, segment
from restante.cli.display import JsonObject, human_size, human_time, say, show_json
from restante.cli.options import ConfigOption, JsonOption, SinceOption, UntilOption, time_span
from restante.cli.times import span

BAR: Final = 30  # columns of the longest bar
_BLOCKS: Final = " ▏▎▍▌▋▊▉"  # eighths of a column


def show_held(
    name: Annotated[str, typer.Argument(metavar="DOMAIN", help="The domain.")],
    *,
    since: SinceOption = None,
    until: UntilOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the peaks of the mail that a domain held, over the last day by default.

    Peaks are kept for each ten minutes of the last two days, and each hour of the last 90 days.
    """
    params = time_span(since, until)
    view = ask(config, "GET", f"/v1/domains/{segment(name)}/held", params=params)
    if as_json:
        show_json(view)
        return
    if not view["points"]:
        say(f"{view['domain']} held no mail from {human_time(view['since'])} on.")
        return
    largest = max(point["messages"] for point in view["points"])
    for point in view["points"]:
        say(_line(point, largest))
    say("")
    say(f"The most in each {span(view['slot_seconds'])}. Times without a line: nothing was held.")


def _line(point: JsonObject, largest: int) -> str:
    size = human_size(point["octets"])
    bar = _bar(point["messages"], largest)
    return f"{human_time(point['at'])}  {point['messages']:>9,}  {size:>8}  {bar}".rstrip()


def _bar(amount: int, largest: int) -> str:
    eighths = round(8 * BAR * amount / largest) if largest else 0
    return "█" * (eighths // 8) + _BLOCKS[eighths % 8].strip()
