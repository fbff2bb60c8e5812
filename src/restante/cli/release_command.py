"""`restante release`: the operator's ETRN."""

from typing import Annotated

import typer

from restante.cli.api_client import ask
from restante.cli.display import say
from restante.cli.failures import Exit
from restante.cli.options import ConfigFile
from restante.cli.reply_words import exit_for


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
        say(f"{answer['node']}: {answer['code']} {answer['text']}")
    return max((exit_for(answer["code"]) for answer in answers), default=Exit.DONE)
