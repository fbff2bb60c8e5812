"""`restante release`: the operator's ETRN."""

import time
from typing import Annotated, Final

import typer

from restante.cli.api_client import ask
from restante.cli.display import JsonObject, say, show_json
from restante.cli.failures import Exit, Failure, complain
from restante.cli.options import ConfigOption, JsonOption, ReasonOption
from restante.cli.progress import progress
from restante.cli.times import span, unix_time
from restante.queue.drain_word import DrainEnd
from restante.tenancy.release_result import ReleaseResult, result_remedy

POLL_SECONDS: Final = 1.0
_EXITS: Final = {
    ReleaseResult.REFUSED: Exit.NOT_ALLOWED,
    ReleaseResult.NOT_AUTHENTICATED: Exit.NOT_ALLOWED,
    ReleaseResult.CANNOT_NOW: Exit.TRY_LATER,
    ReleaseResult.NOT_A_TARGET: Exit.DATA,
}


def release(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="DOMAIN",
            help="A domain, @DOMAIN with its subdomains, or #ACCOUNT for all of its domains.",
        ),
    ],
    reason: ReasonOption = "",
    *,
    waits: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Show the progress, and wait until the drains end. The exit code is 75 if mail is"
            " left, and 69 if the destination refused some.",
        ),
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> int:
    """Hand over the held mail of domains now.

    It goes to the configured destination, as if the primary had sent ETRN.
    """
    answers = _asked(config, targets, reason)
    if not as_json:
        for answer in answers:
            say(told(answer))
    code = max(map(_exit_for, answers), default=Exit.DONE)
    started = [one["id"] for one in answers if one["id"] and _is_done(one)]
    ended = [_await_end(config, release) for release in started] if waits else []
    if as_json:
        show_json({"answers": answers, "releases": ended} if waits else answers)
    else:
        for release in ended:
            say(ended_text(release))
    return max(code, *map(exit_after, ended), Exit.DONE)


def _asked(config: ConfigOption, targets: list[str], reason: str) -> list[JsonObject]:
    """Return the answer for each target, also if none was released. Raises Failure otherwise."""
    try:
        answers = ask(config, "POST", "/v1/releases", body={"targets": targets, "reason": reason})
    except Failure as failure:
        if (answers := failure.problem.get("results")) is None:
            raise
    return list(answers)


def _await_end(config: ConfigOption, release: str) -> JsonObject:
    """Ask for a release until it has ended; show the progress and each new error."""
    shown: JsonObject = ask(config, "GET", f"/v1/releases/{release}")
    told_error = ""
    with progress(shown["target"], shown["pending"] or None) as advance:
        done = 0
        while shown["state"] != "ended":
            now_done = shown["delivered"] + shown["refused"] + shown["uncertain"]
            advance(now_done - done)
            done = now_done
            error = next((one["last_error"] for one in _waiting(shown)), "")
            if error and error != told_error:
                complain(f"release: {shown['target']}: will be tried again: {error}")
                told_error = error
            time.sleep(POLL_SECONDS)
            shown = ask(config, "GET", f"/v1/releases/{release}")
    return shown


def _waiting(release: JsonObject) -> list[JsonObject]:
    return [one for one in release["drains_shown"] if one["next_attempt_at"] is not None]


def ended_text(release: JsonObject) -> str:
    """Return the result of a release as one line: the end, the time it took, and the counts."""
    if not release["drains"]:
        return f"{release['target']}: nothing to hand over"
    took = span(unix_time(release["ended_at"]) - unix_time(release["at"]))
    counts = [f"{release['delivered']:,} delivered", f"{release['refused']:,} refused"]
    counts += [f"{release['uncertain']:,} uncertain"] if release["uncertain"] else []
    counts.append(f"{release['left']:,} left")
    ends = ", ".join(map(DrainEnd.text_of, release["ends"]))
    return f"{release['target']}: {ends} after {took}: {', '.join(counts)}"


def told(answer: JsonObject) -> str:
    """Return an answer as one line; where mail stays held, with the true reason and the remedy."""
    line = f"{answer['target'] or repr('')}: {answer['text']}"
    suspensions = answer["suspensions"]
    if _is_done(answer) and not suspensions:
        return line
    why = "; ".join(suspensions) or answer["reason"]
    remedy = result_remedy(ReleaseResult(answer["result"]), is_suspended=bool(suspensions))
    return f"{line}; {why}; {remedy}" if remedy else f"{line}; {why}"


def exit_after(release: JsonObject) -> Exit:
    """Return the exit code for the end of a release. Only mail that is left can be asked for."""
    if release["left"]:
        return Exit.TRY_LATER
    return Exit.UNAVAILABLE if release["refused"] or release["uncertain"] else Exit.DONE


def _exit_for(answer: JsonObject) -> Exit:
    """Return the exit code for an answer. Asking again does not end a suspension."""
    code = _EXITS.get(answer["result"], Exit.DONE)
    return Exit.DATA if code is Exit.TRY_LATER and answer["suspensions"] else code


def _is_done(answer: JsonObject) -> bool:
    return ReleaseResult(answer["result"]).is_done
