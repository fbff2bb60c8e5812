"""Get the answers of `restante setup`: from options, from a person, or from defaults."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import typer

from restante.cli.display import say, screen_width
from restante.cli.failures import Exit, Failure, printable
from restante.cli.setup_answers import QUESTIONS, Answers, SetupQuestion
from restante.cli.setup_machine import MachineFacts
from restante.cli.table import fold
from restante.config.host_name import flaw_of

NO_ANSWERS: Final[Answers] = MappingProxyType({})


def gather_answers(
    machine: MachineFacts,
    given: Answers,
    known: Answers,
    *,
    asks: bool,
    questions: Sequence[SetupQuestion] = QUESTIONS,
    former: Answers = NO_ANSWERS,
) -> dict[str, str]:
    """Return the answers to all questions that apply.

    `known` are earlier answers, which are neither checked nor asked again; `former` are defaults
    from an earlier run. Raises Failure for an option that will not do, and for a question without
    default that nobody can be asked.
    """
    answers = dict(known)
    for question in questions:
        if question.name in answers:
            continue
        if not question.is_asked(machine, answers):
            if question.name in given:
                raise Failure(Exit.USAGE, f"{question.option}: {_why_not_asked(question)}")
            continue
        if question.name in given:
            answers[question.name] = _from_option(question, given[question.name], answers)
        elif asks and not question.is_silent:
            default = former.get(question.name) or question.default(machine, answers)
            answers[question.name] = _from_person(question, default, answers)
        else:
            default = former.get(question.name) or question.default(machine, answers)
            answers[question.name] = _from_default(question, default, answers)
    return answers


def _why_not_asked(question: SetupQuestion) -> str:
    if question.name == "user":
        return "only root can choose it, and otherwise the server runs as you; leave it out"
    if question.name in ("certificate_file", "key_file"):
        return "is only for --certificate own; add that, or leave this out"
    if question.name in ("accept_terms", "contact"):
        return "is only for --certificate acme; add that, or leave this out"
    return "is about a domain; give --domain too, or leave this out"


def _from_option(question: SetupQuestion, text: str, answers: Answers) -> str:
    try:
        return question.checked(text, answers)
    except ValueError as error:
        raise Failure(Exit.DATA, f"{question.option}: {error}") from None


def _from_default(question: SetupQuestion, default: str | None, answers: Answers) -> str:
    if default is None:
        raise Failure(Exit.USAGE, f"{question.option}: has no default here; give it a value")
    return _from_option(question, default, answers)


def _from_person(question: SetupQuestion, default: str | None, answers: Answers) -> str:
    """Ask until an answer will do."""
    if question.before:
        say_sentences(question.before)
    while True:
        text = _typed(question, default)
        try:
            answer = question.checked(text.strip(), answers)
        except ValueError as error:
            say_sentences(str(error), "  ")
            continue
        if question.name == "hostname" and (flaw := flaw_of(answer)):
            say_sentences(f"Note: {answer} {flaw}, so other servers may refuse this one.", "  ")
        return answer


def _typed(question: SetupQuestion, default: str | None) -> str:
    try:
        return str(typer.prompt(question.text, default=default, show_default=bool(default)))
    except typer.Abort:
        say("")  # the cursor is behind the question
        raise


def say_sentences(text: str, indent: str = "") -> None:
    """Write text, folded to the width of the screen."""
    for line in fold(printable(text), screen_width(), indent, indent):
        say(line)
