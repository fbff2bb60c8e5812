"""One fact has one wording: no module spells a text of phrases.py itself."""

import ast
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

import restante
from restante import phrases
from tests.source_tree import parse_source

SOURCES = Path(restante.__file__).parent
TEXTS = [
    value for name, value in vars(phrases).items() if name.isupper() and isinstance(value, str)
]


def test_no_other_module_spells_a_phrase_itself() -> None:
    assert len(TEXTS) > 10
    found = [
        f"{file.relative_to(SOURCES)}: {text!r}"
        for file in sorted(SOURCES.rglob("*.py"))
        if file.name != "phrases.py"
        for spelled in spelled_in(parse_source(file.read_text()))
        for text in TEXTS
        if text.lower() in spelled.lower()
    ]
    assert found == []


def spelled_in(tree: ast.Module) -> Iterator[str]:
    """Yield the texts of a module that are no docstrings."""
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_a_text_that_is_spelled_again_is_found() -> None:
    assert list(
        spelled_in(parse_source('"""no server is running"""\nx = f"{y}: no server is running"'))
    ) == [": no server is running"]


def test_a_fact_with_a_name_in_it() -> None:
    assert phrases.suspended("a.example", "unpaid") == "a.example is suspended: unpaid"
    assert phrases.none_of_that_name("alpha") == "account alpha has none of that name"
    assert phrases.none_of_that_name("") == "the operator has none of that name"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(5, "Input/output error"), "Input/output error"),
        (PermissionError(13, "Permission denied", "data/lock"), "data/lock: Permission denied"),
        (OSError("disk full"), "disk full"),
        (ValueError("not a name"), "not a name"),
        (EOFError(), "it ended too early"),
        (TimeoutError(), "no answer in time"),
        (ConnectionResetError(), "the connection was closed"),
        (RuntimeError(), "no cause was given"),
        (KeyError("form"), "'form' is missing"),
    ],
)
def test_a_cause_has_no_raw_number(error: Exception, text: str) -> None:
    assert phrases.cause_of(error) == text


def test_no_error_of_the_system_is_shown_with_its_number() -> None:
    """`str` of an OSError begins with `[Errno 13]`."""
    found = [
        f"{file.relative_to(SOURCES)}:{line}"
        for file in sorted(SOURCES.rglob("*.py"))
        if file.name != "phrases.py"
        for line in raw_texts_in(parse_source(file.read_text()))
    ]
    assert found == []


def raw_texts_in(tree: ast.Module) -> Iterator[int]:
    """Yield the lines where a caught OSError is formatted as it is."""
    for handler in ast.walk(tree):
        if isinstance(handler, ast.ExceptHandler) and handler.type is not None and handler.name:
            kinds = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
            if kinds & {"OSError", "PermissionError", "FileNotFoundError"}:
                for node in ast.walk(handler):
                    if (
                        isinstance(node, ast.FormattedValue)
                        and isinstance(node.value, ast.Name)
                        and node.value.id == handler.name
                    ):
                        yield node.lineno


def test_a_raw_error_is_found() -> None:
    text = "try:\n  f()\nexcept OSError as e:\n  g(f'{e.strerror}')\n  g(f'no: {e}')"
    assert list(raw_texts_in(parse_source(text))) == [5]


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EADDRINUSE, "stop what uses it, or name another address in [[listen]]"),
        (errno.EADDRNOTAVAIL, "name an address of this machine in [[listen]]"),
        (errno.EINVAL, "write it with its zone, as in [fe80::1%eth0]:25, in [[listen]]"),
        (errno.EAFNOSUPPORT, "this system has no IPv6: name an IPv4 address in [[listen]]"),
    ],
    ids=errno.errorcode.get,
)
def test_an_address_that_cannot_be_bound_has_the_remedy_of_its_cause(
    number: int, remedy: str
) -> None:
    assert phrases.remedy_for_address(OSError(number, "text"), "[[listen]]") == remedy


# Each names a class to somebody who knows it: a kind of key, a type in a tag, and a defect.
CLASS_NAMES_MAY_BE_IN = {
    "config/certificate.py",
    "telemetry/log_writer.py",
    "web/api/entity_tags.py",
}


def test_no_text_has_the_name_of_a_class() -> None:
    found = [
        f"{file.relative_to(SOURCES)}:{line}"
        for file in sorted(SOURCES.rglob("*.py"))
        if str(file.relative_to(SOURCES)) not in CLASS_NAMES_MAY_BE_IN
        for line in class_names_in(parse_source(file.read_text()))
    ]
    assert found == []


def class_names_in(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that use `type(x).__name__`, or show an error's `repr`."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(
                attr="__name__" | "__qualname__", value=ast.Call(func=ast.Name(id="type"))
            ):
                yield node.lineno
            case ast.FormattedValue(value=ast.Name(id=name), conversion=114) if name in {
                "error",
                "exc",
                "failure",
                "outcome",
            }:
                yield node.lineno


def test_a_name_of_a_class_in_a_text_is_found() -> None:
    text = "a = f'{type(e).__name__}'\nb = f'{error!r}'\nc = f'{name!r}'"
    assert sorted(class_names_in(parse_source(text))) == [1, 2]


@pytest.mark.parametrize(
    ("name", "names", "question"),
    [
        ("acme.exmple", ["acme.example", "other.example"], "did you mean acme.example?"),
        ("loginn-added", ["login-added", "login-changed"], "did you mean login-added?"),
        ("zebra", ["acme"], ""),
        ("acme", [], ""),
        ("", ["acme"], ""),
    ],
)
def test_the_name_that_was_most_likely_meant(name: str, names: list[str], question: str) -> None:
    assert phrases.did_you_mean(name, names) == question
