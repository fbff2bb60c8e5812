"""`restante drill`: prove that held mail arrives, with one message and the whole way."""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from restante.cli.api_client import ANSWER_SECONDS, ask, segment
from restante.cli.display import JsonObject, say, screen_width, show_json
from restante.cli.failures import Exit, Failure, printable
from restante.cli.options import ConfigOption, JsonOption, ReasonOption, with_options
from restante.cli.progress import waiting
from restante.cli.status_command import CRITICAL
from restante.cli.table import fold
from restante.mail.foreign_json import read_foreign_json
from restante.mail.received_field import HEADER_OCTETS
from restante.phrases import cause_of
from restante.readiness.arrived_header import header_text
from restante.readiness.drill_word import DrillAsk, DrillStep
from restante.readiness.readiness_row import ReadinessVerdict

_INDENT: Final = " " * 20


_DRILL: Final[Mapping[str, Any]] = {
    "recipient": Annotated[
        str,
        typer.Option(
            "--recipient", metavar="PATH", help="A mailbox of the domain, instead of postmaster."
        ),
    ],
    "ask": Annotated[
        DrillAsk,
        typer.Option(
            "--ask",
            help="operator: this server hands over the drill's message alone. primary: wait for the"
            " primary's own ETRN, which releases the whole domain.",
        ),
    ],
    "wait": Annotated[
        float,
        typer.Option("--wait", metavar="SECONDS", min=1, max=600, help="For the hand-over."),
    ],
    "despite_check": Annotated[
        bool,
        typer.Option("--despite-check", help="Drill although the check of the domain fails."),
    ],
    "client": Annotated[
        str,
        typer.Option(
            "--client",
            metavar="ADDRESS",
            help="An address of this machine from which the message comes to its listener.",
        ),
    ],
    "reason": ReasonOption,
}
_DEFAULTS: Final[Mapping[str, object]] = {
    "recipient": "",
    "ask": DrillAsk.OPERATOR,
    "wait": 60.0,
    "client": "",
    "reason": "",
}
_FILES: Final[Mapping[str, Any]] = {
    "proof": Annotated[
        Path | None,
        typer.Option("--proof", metavar="FILE", help="Write the signed proof to a new file."),
    ],
    "arrived": Annotated[
        Path | None,
        typer.Option(
            "--arrived",
            metavar="FILE",
            help="Read the header of the last drill's message as it arrived, and end; - for stdin.",
        ),
    ],
    "verify": Annotated[
        Path | None,
        typer.Option("--verify", metavar="FILE", help="Tell whether a proof is genuine, and end."),
    ],
}


class _Files(NamedTuple):
    """The files of a drill. Only the first belongs to a drill that is made now."""

    proof: Path | None
    arrived: Path | None
    verify: Path | None

    def check(self, name: str | None) -> None:
        """Raise Failure unless they fit each other, and the domain that was given or was not."""
        if self.arrived is not None:
            if name is None or self.verify is not None or self.proof is not None:
                error = "drill: --arrived goes with a domain, and with no other FILE"
                raise Failure(Exit.USAGE, error)
        elif (name is None) == (self.verify is None):
            raise Failure(Exit.USAGE, "drill: give a domain, or --verify FILE")
        elif self.verify is None and self.proof is not None and self.proof.exists():
            raise Failure(Exit.USAGE, f"{self.proof}: exists already; name a new file")


def _with_request_and_files(command: Callable[..., int]) -> Callable[..., int]:
    """Give the command the options of a drill as the API takes them, and its files."""
    wrapped = with_options(command, "request", _DRILL, dict, _DEFAULTS)
    return with_options(wrapped, "files", _FILES, lambda given: _Files(**given))


@_with_request_and_files
def drill(
    name: Annotated[
        str | None, typer.Argument(metavar="[DOMAIN]", help="The domain.", show_default=False)
    ] = None,
    *,
    request: JsonObject,
    files: _Files,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Send one message the whole way that mail goes on a bad day, and prove that it arrived.

    The domain is checked first, and a FAIL stops the drill. Then a message comes in at the public
    listener of this server, is held, and is handed over. The reply of the destination is recorded.
    The message of a drill that fails is removed.

    With --arrived, no drill is made. The fields that the primary has added tell the client that it
    judged, and the check of the domain then has it as a row.

    Exit codes: 0 if it passed, and 2 if it did not, or if the primary judged this server. Other
    codes are of errors.
    """
    files.check(name)
    if files.arrived is not None:
        return _read_arrived(config, str(name), files.arrived, request["reason"], as_json=as_json)
    if files.verify is not None:
        return _verify(config, files.verify, as_json=as_json)
    with waiting(f"drilling {name}"):
        path = f"/v1/domains/{segment(str(name))}/drill"
        seconds = request["wait"] + ANSWER_SECONDS
        done = ask(config, "POST", path, body=request, seconds=seconds)
    if files.proof is not None:
        files.proof.write_text(json.dumps(done, indent=2) + "\n")
    if as_json:
        show_json(done)
    else:
        _show(done["drill"])
    return Exit.DONE if done["drill"]["is_passed"] else CRITICAL


def _show(drill: JsonObject) -> None:
    for step in drill["steps"]:
        _fold(DrillStep.text_of(step["step"]), f"{step['seconds']:.1f} s: {step['text']}")
    if drill["is_passed"]:
        say(f"{drill['domain']}: proven in {drill['seconds']:.1f} s")
        return
    _fold(DrillStep.text_of(drill["failed_step"]), f"FAILED: {drill['failure']}")
    _fold("", f"→ {drill['remedy']}")
    say(f"{drill['domain']}: not proven")


def _fold(label: str, text: str) -> None:
    for line in fold(printable(text), screen_width(), f"{label:{len(_INDENT)}}", _INDENT):
        say(line)


def _read_arrived(
    config: ConfigOption, name: str, file: Path, reason: str, *, as_json: bool
) -> int:
    """Tell which client the primary has judged: exit code 0, or 2 if it was this server."""
    try:
        content = sys.stdin.buffer.read(HEADER_OCTETS) if str(file) == "-" else _beginning(file)
    except OSError as error:
        raise Failure(Exit.NO_INPUT, f"{cause_of(error)}; name a file with the header") from None
    if not content.strip():
        raise Failure(Exit.DATA, f"{file}: is empty; give the header as it is in the mailbox")
    body = {"header": header_text(content), "reason": reason}
    found = ask(config, "POST", f"/v1/domains/{segment(name)}/drill/arrival", body=body)
    verdict = ReadinessVerdict.text_of(found["verdict"])
    if as_json:
        show_json(found)
    else:
        _fold(verdict, found["evidence"])
        judged = ", ".join(found["judged"]) or "nobody"
        server = found["server_client"] or "nobody"
        _fold("", f"client {found['client']}; filters judged {judged}; the mail server {server}")
        if found["remedy"]:
            _fold("", f"→ {found['remedy']}")
    return CRITICAL if found["verdict"] == ReadinessVerdict.WARN else Exit.DONE


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(HEADER_OCTETS)


def _verify(config: ConfigOption, file: Path, *, as_json: bool) -> int:
    """Tell whether a proof is genuine: exit code 0; 2 if its drill failed, 65 if it is not."""
    try:
        given = read_foreign_json(file.read_text())
    except OSError as error:
        raise Failure(Exit.NO_INPUT, f"{cause_of(error)}; name a file of --proof") from None
    except ValueError:
        error_text = f"{file}: this is no proof of a drill; name a file of --proof"
        raise Failure(Exit.NO_INPUT, error_text) from None
    verdict = ask(config, "POST", "/v1/drills/verify", body=given)
    if as_json:
        show_json(verdict)
    elif verdict["is_genuine"]:
        drill = given["drill"]
        passed = "passed" if drill["is_passed"] else "did not pass"
        say(f"genuine: the drill of {drill['domain']} at {drill['at']} {passed}")
        if verdict["is_former_key"]:
            say("It was signed with a former key: a thief of that key could have made it.")
    else:
        say(f"not genuine: {verdict['reason']}")
    if not verdict["is_genuine"]:
        return Exit.DATA
    return Exit.DONE if given["drill"]["is_passed"] else CRITICAL
