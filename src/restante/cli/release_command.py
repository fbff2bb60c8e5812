"""`restante release`: the operator's ETRN."""

from typing import Annotated, Final

import typer

from restante.cli.api_client import ask
from restante.cli.display import Row, say
from restante.cli.failures import Exit
from restante.cli.options import ConfigFile
from restante.cli.reply_words import exit_for
from restante.phrases import IS_SUSPENDED

_FAILED: Final = 400  # and above
_RESUME: Final = "`restante domain set DOMAIN --hold until-asked` ends a suspension"
_REMEDIES: Final = {
    459: "`restante domain list` shows the hosted domains",
    500: "name a domain, @DOMAIN or #ACCOUNT",
}


def release(
    nodes: Annotated[
        list[str],
        typer.Argument(
            metavar="DOMAIN",
            help="A domain, @DOMAIN with its subdomains, or #ACCOUNT for all of its domains.",
        ),
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Reason for the audit trail.")
    ] = "",
    config: ConfigFile = None,
) -> int:
    """Hand over the held mail of domains now.

    It goes to the configured destination, as if the primary had sent ETRN.
    """
    answers = ask(config, "POST", "/v1/release", body={"nodes": nodes, "reason": reason})
    for answer in answers:
        say(told(answer))
    return max(map(_exit_for, answers), default=Exit.DONE)


def told(answer: Row) -> str:
    """Return an answer as one line; where mail stays held, with the true reason and the remedy."""
    line = f"{answer['node'] or repr('')}: {answer['code']} {answer['text']}"
    if IS_SUSPENDED in answer["reason"]:
        _, but, others = answer["reason"].partition(", but ")
        return f"{line}; {others if but else answer['reason']}; {_RESUME}"
    if answer["code"] < _FAILED:
        return line
    remedy = f"; {_REMEDIES[answer['code']]}" if answer["code"] in _REMEDIES else ""
    return f"{line}; {answer['reason']}{remedy}"


def _exit_for(answer: Row) -> Exit:
    """Return the exit code for an answer. Asking again does not end a suspension."""
    code = exit_for(answer["code"])
    is_suspended = IS_SUSPENDED in answer["reason"]
    return Exit.DATA if code is Exit.TRY_LATER and is_suspended else code
