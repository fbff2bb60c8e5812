"""One run of `restante setup`: the answers, the steps that are left, and the report."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import typer

from restante.cli.display import JsonObject, say, show_json, show_record
from restante.cli.failures import Exit, Failure, warn
from restante.cli.setup_answers import CORRECTABLE, PLACES, Answers
from restante.cli.setup_dialogue import gather_answers, say_sentences
from restante.cli.setup_machine import (
    MachineFacts,
    look_at_machine,
    unusable_addresses,
)
from restante.cli.setup_record import (
    SetupRecord,
    alone,
    read_record,
    refuse_foreign_directory,
    refuse_other_answers,
    refuse_used_directory,
    write_record,
)
from restante.cli.setup_report import SetupOutcome, outcome_document, plan_fields, say_outcome
from restante.cli.setup_steps import (
    SetupStep,
    files_of,
    listeners_of,
    look_at_domain,
    meeting_listeners,
    server_answers,
    steps_of,
    store_place,
)
from restante.config.setup_files import present_files
from restante.phrases import EXISTS

_WELCOME: Final = (
    "Restante holds mail for domains whose own server is away. Press Enter to take the answer in"
    " brackets. Nothing is changed before the last question."
)
_MASK: Final = 0o022
_PLAIN: Final = (
    "You are not root, so the server runs as you, and listens on ports that you may use. As root,"
    " this sets up a server for ports 25 and 465."
)


def run_setup(given: Answers, *, asks: bool, is_trial: bool, as_json: bool) -> None:
    """Set up a server, or complete one. `given` are the answers by options. Raises Failure."""
    machine = look_at_machine()
    if asks:
        say_sentences(_WELCOME)
        say("")
        if not machine.is_root:
            say_sentences(_PLAIN)
            say("")
    found = gather_answers(machine, given, {}, asks=asks, questions=PLACES[:1])
    directory = Path(found["dir"])
    refuse_foreign_directory(directory)
    record = read_record(directory)
    if record is None:
        refuse_used_directory(directory)
        found = gather_answers(machine, given, found, asks=False, questions=PLACES)
        _check_place(found, machine)  # before anybody has answered questions
        answers = gather_answers(machine, given, found, asks=asks)
        _check_place(answers, machine)
    else:
        refuse_other_answers(directory, record, given)
        answers = _corrected(record, machine, given, asks=asks)
    if is_trial:
        _show_plan(answers, machine, record, as_json=as_json)
        return
    if asks and not (record and record.is_finished):
        show_record(plan_fields(answers, machine))
        typer.confirm("Set this up?", default=True, abort=True)
    _run(answers, machine, record, as_json=as_json)


def _corrected(
    record: SetupRecord, machine: MachineFacts, given: Answers, *, asks: bool
) -> dict[str, str]:
    """Return the answers of an earlier run, with corrections of those for its last step."""
    if record.is_finished:
        return dict(record.answers)
    kept = {name: text for name, text in record.answers.items() if name not in CORRECTABLE}
    new = {name: text for name, text in given.items() if name in CORRECTABLE}
    return gather_answers(machine, new, kept, asks=asks, former=record.answers)


def _check_place(answers: Answers, machine: MachineFacts) -> None:
    """Raise Failure where a new installation would meet another, or could not listen."""
    if existing := present_files(Path(answers["dir"]), store_place(answers, machine)):
        names = ", ".join(map(str, existing))
        remedy = "choose another --dir, or use what is there"
        raise Failure(Exit.CANNOT_CREATE, f"{names}: {EXISTS}, nothing was changed; {remedy}")
    if texts := meeting_listeners(listeners_of(answers)):
        raise Failure(Exit.DATA, *(f"{text}; nothing was changed" for text in texts))
    if texts := unusable_addresses(one.address for one in listeners_of(answers)):
        raise Failure(Exit.UNAVAILABLE, *(f"{text}; nothing was changed" for text in texts))


def _show_plan(
    answers: Answers, machine: MachineFacts, record: SetupRecord | None, *, as_json: bool
) -> None:
    is_finished = record is not None and record.is_finished
    steps = [_row(one, "there" if is_finished or one.is_done() else "planned")
             for one in steps_of(answers, machine)]  # fmt: skip
    if as_json:
        show_json(outcome_document(SetupOutcome(answers, machine, {}), steps, changed=False))
        return
    show_record(plan_fields(answers, machine))
    say("")
    for row in steps:
        say(f"{'there' if row['state'] == 'there' else 'to do'}  {row['text']}")
    say("")
    say("nothing was changed")


def _run(
    answers: Answers, machine: MachineFacts, record: SetupRecord | None, *, as_json: bool
) -> None:
    directory = Path(answers["dir"])
    rows: list[JsonObject] = []
    if record is None or not record.is_finished:
        with _open_directories():
            directory.mkdir(parents=True, exist_ok=True)
            with alone(directory):
                _refuse_others_work(directory, record)
                rows = _completed(answers, machine, directory, as_json=as_json)
    elif not as_json:
        say(f"{directory}: is set up already; nothing was changed")
    seen, config = _seen(answers, machine), files_of(answers, machine).config
    outcome = SetupOutcome(answers, machine, seen, is_running=server_answers(config))
    if as_json:
        is_changed = any(row["state"] == "done" for row in rows)
        show_json(outcome_document(outcome, rows, changed=is_changed))
    else:
        say_outcome(outcome)
    warn(_warnings(outcome.config))


def _refuse_others_work(directory: Path, record: SetupRecord | None) -> None:
    """Raise Failure where another setup has worked since ours looked at the directory."""
    refuse_foreign_directory(directory)
    if read_record(directory) != record:
        cause = "another setup worked there meanwhile, and this one changed nothing"
        raise Failure(Exit.TRY_LATER, f"{directory}: {cause}; run it again to see the result")


@contextmanager
def _open_directories() -> Iterator[None]:
    """Let the server's user enter new directories, whatever the mask of root's shell is."""
    former = os.umask(_MASK)
    try:
        yield
    finally:
        os.umask(former)


def _completed(
    answers: Answers, machine: MachineFacts, directory: Path, *, as_json: bool
) -> list[JsonObject]:
    """Do the steps that are not done. A run that is killed leaves the rest to the next."""
    rows: list[JsonObject] = []
    try:
        write_record(directory, SetupRecord(answers, is_finished=False))
        for row in _done(steps_of(answers, machine)):
            rows.append(row)
            if not as_json:
                say(f"{row['state']:5}  {row['text']}")
        write_record(directory, SetupRecord(answers, is_finished=True))
    except KeyboardInterrupt:
        raise Failure(
            Exit.STOPPED, "stopped before the end; to go on, run `restante setup` again"
        ) from None
    return rows


def _done(steps: Sequence[SetupStep]) -> Iterator[JsonObject]:
    for step in steps:
        if step.is_done():
            yield _row(step, "there")
            continue
        step.do()
        yield _row(step, "done")


def _row(step: SetupStep, state: str) -> JsonObject:
    return {"step": step.name, "state": state, "text": step.text}


def _seen(answers: Answers, machine: MachineFacts) -> JsonObject:
    if not answers["domain"]:
        return {}
    return look_at_domain(files_of(answers, machine).config, answers)


def _warnings(config_file: Path) -> list[str]:
    """Return what is odd about the configuration. The report has the copy of the key."""
    from restante.cli.server_run import read_and_check  # noqa: PLC0415
    from restante.config.key_copy import copy_warnings  # noqa: PLC0415  heavy

    config, warnings = read_and_check(config_file)
    return [one for one in warnings if one not in [*copy_warnings(config)]]
