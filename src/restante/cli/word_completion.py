"""Complete a word at the end of a command line, for the scripts in `shell/`.

A script runs `restante --complete WORD...` at each press of the tab key. Each line of the answer is
a candidate, or a candidate, a tab and a description. The line `:files` asks the shell for names of
files. Nothing is written to standard error, and the exit code is 0: a shell is no place for errors.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from restante.cli.command_line import build_command
from restante.cli.command_loading import COMMANDS, NamedCommand, named_command
from restante.cli.name_completion import NameKind, RecordNaming, served_names

FILES: Final = ":files"
_OF_FILES: Final = {"FILE", "DIR", "PLACE", "COPY"}
_QUICKEST: Final = NamedCommand("completion")  # loaded where no command is named
# Anything else would be several words, or the shell would interpret it.
_PLAIN: Final = re.compile(r"[^\s\x00-\x1f\x7f$`'\"\\;&|<>()*?!#{}]+")
# Commands whose domain or account is new, or is of another server.
_NAME_NO_RECORD: Final = {"account add", "domain add", "etrn"}
_ARGUMENTS: Final = (  # the word in the help, commands, and the kind of record that it names
    ("NAME", "account ", NameKind.ACCOUNT),
    ("NAME", ("queue ", "trace"), NameKind.MESSAGE),
    ("USER", ("login set", "login show", "login remove", "login certificate"), NameKind.LOGIN),
    ("ID", ("token revoke", "token made"), NameKind.TOKEN),
    ("NAME", ("notice set", "notice remove", "notice test", "notice again"), NameKind.CHANNEL),
    ("NAME", "node ", NameKind.NODE),
    ("EMAIL", ("user set", "user remove"), NameKind.PORTAL_USER),
)


@dataclass(slots=True)
class WordsBefore:
    """The meaning of the words before the one to complete."""

    command: Any
    path: str = ""  # of the command, such as "queue list"
    pending: Any = None  # the option that still needs its value
    operands: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)  # of options, by their parameter's name
    is_misread: bool = False  # behind a command that does not exist
    takes_options: bool = True  # False behind "--"


def complete_words(words: Sequence[str]) -> int:
    """Print the candidates for the last of the words. Returns the exit code, which is always 0."""
    try:
        lines = [*_candidates(words)] if words else []
    except Exception:  # noqa: BLE001  whatever it is, the person has asked for no message
        return 0
    for candidate, description in lines:
        print(f"{candidate}\t{description}" if description else candidate)  # noqa: T201
    return 0


def _candidates(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    *earlier, current = words
    root = build_command(named_command(earlier) or _QUICKEST)
    before = read_words(root, earlier)
    for candidate, description in offered_words(before, current, served_names):
        if _PLAIN.fullmatch(candidate) and candidate.isprintable():
            yield candidate, description


def read_words(root: Any, earlier: Iterable[str]) -> WordsBefore:
    """Return the meaning of words, which may be wrong: the person is still typing."""
    before = WordsBefore(root)
    for word in earlier:
        if before.pending is not None:
            if word != "=":  # bash makes three words of --option=value
                before.values[before.pending.name] = word
                before.pending = None
        elif before.takes_options and word == "--":
            before.takes_options = False
        elif before.takes_options and word.startswith("-") and word != "-":
            _read_option(before, word)
        else:
            _read_operand(before, word)
    return before


def _read_option(before: WordsBefore, word: str) -> None:
    spelled, equals, value = word.partition("=")
    option = _options(before.command).get(spelled)
    if option is not None and equals:
        before.values[option.name] = value
    elif option is not None and not option.is_flag:
        before.pending = option


def _read_operand(before: WordsBefore, word: str) -> None:
    inner: Mapping[str, Any] | None = getattr(before.command, "commands", None)
    if inner is None:
        before.operands.append(word)
    elif word in inner:
        before.command = inner[word]
        before.path = f"{before.path} {word}".strip()
    else:
        before.is_misread = True


def offered_words(
    before: WordsBefore, current: str, names: RecordNaming
) -> Iterator[tuple[str, str]]:
    """Yield each candidate for the current word, and its description.

    `names` looks up records by kind, beginning of the name, and the values of options before.
    """
    if before.is_misread:
        return
    spelled, equals, value = current.partition("=")
    options = _options(before.command) if before.takes_options else {}
    if before.pending is not None:
        yield from _values(before, before.pending, current.removeprefix("="), names)
    elif equals and spelled in options:
        for candidate, description in _values(before, options[spelled], value, names):
            yield (candidate if candidate == FILES else f"{spelled}={candidate}"), description
    elif current.startswith("-") and before.takes_options:
        yield from _option_names(before, current)
    elif inner := getattr(before.command, "commands", None):
        # At the top only few commands are loaded: loading all for their summaries takes long.
        for name in inner if before.path else ("version", *COMMANDS):
            if name.startswith(current):
                yield name, inner[name].short_help or "" if name in inner else ""
    elif (argument := _next_argument(before)) is not None:
        yield from _values(before, argument, current, names)


def _options(command: Any) -> Mapping[str, Any]:
    return {
        spelled: one
        for one in command.params
        if one.param_type_name == "option"
        for spelled in (*one.opts, *one.secondary_opts)
    }


def _option_names(before: WordsBefore, current: str) -> Iterator[tuple[str, str]]:
    for spelled, option in _options(before.command).items():
        given = option.name in before.values and not option.multiple
        if spelled.startswith(current) and not option.hidden and not given:
            yield spelled, " ".join((option.help or "").split())
    if "--help".startswith(current):
        yield "--help", "Show the help and exit."


def _next_argument(before: WordsBefore) -> Any:
    arguments = [one for one in before.command.params if one.param_type_name == "argument"]
    place = len(before.operands)
    if place < len(arguments):
        return arguments[place]
    return arguments[-1] if arguments and arguments[-1].nargs == -1 else None


def _values(
    before: WordsBefore, parameter: Any, current: str, names: RecordNaming
) -> Iterator[tuple[str, str]]:
    """Yield what a parameter can be."""
    if parameter.name == "socket" or _word_of(parameter) in _OF_FILES:
        yield FILES, ""
        return
    for choice in choices_of(parameter):
        if choice.startswith(current):
            yield choice, ""
    kind = name_kind(before.path, parameter)
    if kind is not None:
        config = before.values.get("config")
        place = before.values.get("socket")
        found = names(
            kind,
            current,
            account=_account_before(before),
            config=Path(config) if config else None,
            socket=Path(place) if place else None,
        )
        given = _given_before(before, parameter)
        for name in found:
            if name.startswith(current) and name not in given and name != FILES:
                yield name, ""


def _given_before(before: WordsBefore, parameter: Any) -> Collection[str]:
    """Return the names that this argument has already; an account can be named as a login is."""
    arguments = [one for one in before.command.params if one.param_type_name == "argument"]
    return before.operands[arguments.index(parameter) :] if parameter in arguments else ()


def _account_before(before: WordsBefore) -> str:
    """Return the account whose records are meant; "" if none is named."""
    if before.path.startswith("login ") and before.operands:
        return before.operands[0]
    return before.values.get("account", "")


def _word_of(parameter: Any) -> str:
    return (parameter.metavar or "").strip("[]")


def choices_of(parameter: Any) -> Sequence[str]:
    """Return the words that a parameter accepts, if it accepts certain words only."""
    return _words(getattr(parameter.type_descriptor, "annotation", None))


def _words(annotation: Any) -> Sequence[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [str(one.value) for one in annotation]
    if get_origin(annotation) is Literal:
        return [str(one) for one in get_args(annotation)]
    return [word for inner in get_args(annotation) for word in _words(inner)]


def name_kind(path: str, parameter: Any) -> NameKind | None:
    """Return the kind of record that a parameter names; None if it names none that exists."""
    word = _word_of(parameter)
    is_argument = parameter.param_type_name == "argument"
    if is_argument and path in _NAME_NO_RECORD:
        return None
    if word == "DOMAIN":
        return NameKind.DOMAIN
    if word == "ACCOUNT" or parameter.name == "account":
        return NameKind.ACCOUNT
    return _kind_of_argument(path, word) if is_argument else None


def _kind_of_argument(path: str, word: str) -> NameKind | None:
    for words, beginnings, kind in _ARGUMENTS:
        if word == words and path.startswith(beginnings):
            return kind
    return None
