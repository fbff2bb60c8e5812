"""`restante-client`: parse the command line, run a verb, and print its result.

A verb imports its modules when it runs: this program may run every minute on a small machine.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Dict  # Python 3.8 has no dict[…] at run time

from restante_client.client_arguments import PROGRAM, VERBS, read_command
from restante_client.client_failure import (
    ClientExit,
    ClientFailure,
    is_utf8,
    shown,
    unexpected_failure,
)
from restante_client.client_output import ClientOutput
from restante_client.option_checks import NO_LOCAL, check_repeated

if TYPE_CHECKING:
    from restante_client.etrn_request import MailServer
    from restante_client.https_release import ApiServer
    from restante_client.tls_trust import ClientTrust

_Result = Dict[str, Any]


class _Stopped(BaseException):
    """SIGTERM ends `watch`, which is no failure."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    output = ClientOutput(is_json="--json" in words)
    try:
        return _ended(words, output)
    except KeyboardInterrupt:
        return ClientExit.STOPPED
    except BrokenPipeError:  # the reader of our output has gone
        sys.stderr.close()
        return ClientExit.UNAVAILABLE


def _ended(words: Sequence[str], output: ClientOutput) -> ClientExit:
    """Run a command to its end, and print its failure if it has one."""

    def run() -> ClientExit:
        _refuse_strange(words)
        return _run(read_command(words), output)

    return _guarded(run, output)


def _guarded(run: Callable[[], ClientExit], output: ClientOutput) -> ClientExit:
    """Run, and print the failure if there is one."""
    try:
        return run()
    except ClientFailure as failure:
        output.fail(failure)
        return failure.code
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  the last resort: one line instead of a traceback
        output.fail(unexpected_failure(error))
        return ClientExit.SOFTWARE


def _refuse_strange(words: Sequence[str]) -> None:
    """Refuse words with octets that are no text. Raises ClientFailure."""
    strange = [word for word in words if not is_utf8(word)]
    if strange:
        raise ClientFailure(
            ClientExit.USAGE, f"{strange[0]}: is not UTF-8 text; write the argument as UTF-8"
        )


def _run(given: argparse.Namespace, output: ClientOutput) -> ClientExit:
    verbs: Dict[str, Callable[[argparse.Namespace, ClientOutput], ClientExit]] = {
        "ask": _ask,
        "turn": _turn,
        "watch": _watch,
        "doctor": _doctor,
        "snippet": _snippet,
    }
    return verbs[given.verb](given, output)


def _ask(given: argparse.Namespace, output: ClientOutput) -> ClientExit:
    if given.https:
        asked = _api_server(given, output)
        _await_local(given, output)
        return _ask_by_https(given, asked, output)
    from restante_client.etrn_request import STARTTLS_PORT, ask_by_etrn  # noqa: PLC0415  heavy
    from restante_client.smtp_replies import etrn_exit, etrn_words  # noqa: PLC0415

    server = _mail_server(given, output, STARTTLS_PORT)
    _await_local(given, output)
    worst = ClientExit.DONE
    answers = []
    for domain, code, text in ask_by_etrn(server, given.domains):
        if not given.json:
            output.say(f"{domain}: {etrn_words(code)} ({f'{code} ' if code > 0 else ''}{text})")
        answers.append({"target": domain, "code": code, "text": text, "exit": etrn_exit(code)})
        worst = max(worst, etrn_exit(code))
    if given.json:
        output.say_json({"exit": int(worst), "answers": answers})
    return worst


def _ask_by_https(given: argparse.Namespace, asked: ApiServer, output: ClientOutput) -> ClientExit:
    from restante_client.https_release import (  # noqa: PLC0415  heavy
        answer_exit,
        answer_text,
        ask_by_https,
        end_exit,
        end_text,
    )

    answers = ask_by_https(asked, given.domains)
    for answer in [] if given.json else answers:
        output.say(answer_text(answer))
    worst = max(map(answer_exit, answers), default=ClientExit.DONE)
    started = [str(one["id"]) for one in answers if one["result"] == "granted" and one.get("id")]
    ended = [_followed(given, asked, release, output) for release in started] if given.wait else []
    worst = max([worst, *map(end_exit, ended)])
    if given.json:
        output.say_json({"exit": int(worst), "answers": answers, "releases": ended})
    else:
        for release in ended:
            output.say(end_text(release))
    return worst


def _followed(
    given: argparse.Namespace, asked: ApiServer, release: str, output: ClientOutput
) -> _Result:
    """Return a release once it has ended; show its progress."""
    from restante_client.https_release import follow_release  # noqa: PLC0415  heavy
    from restante_client.progress_line import ProgressLine, ShownProgress  # noqa: PLC0415
    from restante_client.release_answers import count_of, trouble_of  # noqa: PLC0415

    bar = ProgressLine(sys.stderr, output.draw)

    def show(state: _Result) -> None:
        done = count_of(state, "delivered", "refused", "uncertain")
        total = max(done + count_of(state, "left"), 1)
        rate = float(state.get("rate", 0))
        trouble, next_attempt = ("", "") if rate else trouble_of(state)
        bar.show(
            ShownProgress(
                shown(state.get("target", "")),
                done,
                total,
                rate,
                state.get("eta") or "",
                shown(trouble),
                next_attempt,
            )
        )

    try:
        return follow_release(asked, release, show, given.limit)
    finally:
        bar.clear()


def _turn(given: argparse.Namespace, output: ClientOutput) -> ClientExit:
    from restante_client.local_server import await_local  # noqa: PLC0415  heavy
    from restante_client.octet_pipe import PipeLimits  # noqa: PLC0415
    from restante_client.turn_session import ODMR_PORT, turn_mail  # noqa: PLC0415

    server = _mail_server(given, output, ODMR_PORT)
    local = await_local(given.local, given.local_wait, output.complain)
    result = turn_mail(server, given.domains, local, PipeLimits(given.idle, given.limit))
    if given.json:
        output.say_json(
            {
                "exit": int(result.exit),
                "code": result.code,
                "text": result.text,
                "delivered": result.delivered if result.is_exact else None,
                "refused": result.refused if result.is_exact else None,
                "deferred": result.deferred if result.is_exact else None,
                "first_refusal": result.first_refusal,
                "first_deferral": result.first_deferral,
            }
        )
    else:
        output.say(result.text)
    return result.exit


def _doctor(given: argparse.Namespace, output: ClientOutput) -> ClientExit:
    from restante_client.domain_doctor import (  # noqa: PLC0415  heavy
        check_by_api,
        check_exit,
        local_row,
        row_lines,
        summary,
    )

    rows = check_by_api(_api_server(given, output), given.domain)
    if given.local != NO_LOCAL:
        rows.append(local_row(given.local))
    code = check_exit(rows)
    if given.json:
        output.say_json({"exit": int(code), "rows": rows})
        return code
    for row in rows:
        first, *others = row_lines(row)
        output.say_verdict(first, row["verdict"])
        for line in others:
            output.say(line)
    output.say("")
    output.say(summary(rows))
    return code


def _snippet(given: argparse.Namespace, output: ClientOutput) -> ClientExit:
    from restante_client.domain_doctor import snippet_by_api, snippet_lines  # noqa: PLC0415  heavy

    snippet = snippet_by_api(_api_server(given, output), given.domain, given.program)
    if given.json:
        output.say_json({"exit": int(ClientExit.DONE), **snippet})
        return ClientExit.DONE
    for line in snippet_lines(snippet):
        output.say(line)
    output.say(f"Check with: {PROGRAM} doctor {given.server} {given.domain} --token-file FILE")
    return ClientExit.DONE


def _watch(given: argparse.Namespace, output: ClientOutput) -> ClientExit:
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if given.files == "systemd-timer" and not command:
        output.say(_start_file(given.files, command, given.every))
        return ClientExit.DONE
    if command[:1] not in [[verb] for verb in VERBS]:
        raise ClientFailure(
            ClientExit.USAGE, f"watch needs {' or '.join(VERBS)}; see {PROGRAM} watch --help"
        )
    inner = read_command(command)
    check_repeated(inner, given.files)
    if given.files:
        output.say(_start_file(given.files, command, given.every))
        return ClientExit.DONE
    _watch_network(inner, output, given.every)
    return ClientExit.DONE


def _watch_network(inner: argparse.Namespace, output: ClientOutput, interval: float) -> None:
    """Run `ask` or `turn` until SIGTERM."""
    from restante_client.endpoints import read_endpoint  # noqa: PLC0415  heavy
    from restante_client.watch_loop import (  # noqa: PLC0415
        WatchLoop,
        address_towards,
        can_reach,
    )

    server = read_endpoint(inner.server, _default_port(inner))

    def run() -> ClientExit:
        return _guarded(lambda: _run(inner, output), output)

    def stop(*_: object) -> None:
        raise _Stopped

    signal.signal(signal.SIGTERM, stop)
    loop = WatchLoop(run, lambda: address_towards(server), lambda: can_reach(server), interval)
    with suppress(_Stopped):
        loop.loop(lambda: False)


def _default_port(inner: argparse.Namespace) -> int:
    from restante_client import etrn_request, https_release, turn_session  # noqa: PLC0415  heavy

    if inner.verb == "ask" and inner.https:
        return https_release.HTTPS_PORT
    if inner.tls == "implicit":
        return etrn_request.IMPLICIT_PORT
    return etrn_request.STARTTLS_PORT if inner.verb == "ask" else turn_session.ODMR_PORT


def _start_file(kind: str, command: Sequence[str], seconds: int) -> str:
    from restante_client import watch_files  # noqa: PLC0415  heavy

    whole = [*_own_command(), *command]
    if kind == "systemd-service":
        return watch_files.systemd_service(whole)
    if kind == "systemd-timer":
        return watch_files.systemd_timer(seconds)
    if kind == "windows":
        return watch_files.windows_task(whole, seconds)
    return watch_files.network_manager_hook(whole)


def _own_command() -> list[str]:
    """Return how this program was started, with absolute paths."""
    from pathlib import Path  # noqa: PLC0415  heavy

    own = Path(sys.argv[0]).absolute()
    if own.name == "__main__.py":
        return [sys.executable, "-m", "restante_client"]
    return [str(own)] if own.suffix != ".pyz" else [sys.executable, str(own)]


def _await_local(given: argparse.Namespace, output: ClientOutput) -> None:
    """Wait until the local server greets, unless told not to. Raises ClientFailure."""
    if given.local != NO_LOCAL:
        from restante_client.local_server import await_local  # noqa: PLC0415  heavy

        await_local(given.local, given.local_wait, output.complain).dismiss()


def _mail_server(given: argparse.Namespace, output: ClientOutput, starttls_port: int) -> MailServer:
    """Return the server and login that the options name. Raises ClientFailure."""
    from restante_client.endpoints import read_endpoint  # noqa: PLC0415
    from restante_client.etrn_request import MailServer  # noqa: PLC0415  heavy
    from restante_client.sasl_exchange import ClientCredentials  # noqa: PLC0415
    from restante_client.secret_input import public_file, read_secret  # noqa: PLC0415
    from restante_client.target_names import wire_target  # noqa: PLC0415

    read_endpoint(given.server, starttls_port)  # a wrong name is told before any waiting
    for domain in given.domains:
        wire_target(domain)
    password = read_secret(given.password_file) if given.password_file else ""
    output.warn_of(public_file(given.password_file))
    output.warn_of(public_file(given.key or given.certificate))
    output.secrets.add(password, given.login)
    credentials = ClientCredentials(given.login, password, (given.auth or "").upper())
    return MailServer(
        given.server,
        credentials,
        _trust(given),
        given.tls == "implicit",
        given.timeout,
        starttls_port,
    )


def _api_server(given: argparse.Namespace, output: ClientOutput) -> ApiServer:
    """Return the server and token that the options name. Raises ClientFailure."""
    from restante_client.https_release import ApiServer  # noqa: PLC0415  heavy
    from restante_client.secret_input import public_file, read_secret  # noqa: PLC0415

    token = read_secret(given.token_file)
    output.warn_of(public_file(given.token_file))
    output.secrets.add(token)
    if not (token.isascii() and token.isprintable()):
        raise ClientFailure(
            ClientExit.USAGE, f"{given.token_file}: is not a token; write it into the first line"
        )
    return ApiServer(given.server, token, _trust(given), given.timeout)


def _trust(given: argparse.Namespace) -> ClientTrust:
    from pathlib import Path  # noqa: PLC0415  heavy

    from restante_client.secret_input import credential_path  # noqa: PLC0415
    from restante_client.tls_trust import ClientTrust, read_key_pin  # noqa: PLC0415

    pin = read_key_pin(given.pin) if given.pin else None
    certificate = credential_path(given.certificate) if given.certificate else None
    key = credential_path(given.key) if given.key else None
    return ClientTrust(Path(given.ca) if given.ca else None, pin, certificate, key)
