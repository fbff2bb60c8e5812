"""One word, one meaning: a name is defined once in the package, and old words stay out.

An entry point is named for its action, which administration has under the same name: the route
`add_account` calls `accounts.add_account`, and `restante account add` calls the route. Nothing
imports entry points by their names alone. All other public functions have a name of their own.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

import restante
from tests.source_tree import parse_source
from tests.stable_words import STABLE_WORD, enumerated_words

TOP = Path(restante.__file__).parent
TREE = Path(__file__).parents[1]
CLASS = re.compile(r"^ *class (\w+)[(\[:]", re.MULTILINE)  # as the formatter writes it
ALIAS = re.compile(r"_?[A-Z]\w*[a-z]\w*")  # Outcome, _Row; TIMEOUT is a value
TYPE_VARIABLES = ("TypeVar", "TypeVarTuple", "ParamSpec")
ENTRIES = re.compile(
    r"cli/(\w+_commands?|queue_changes)\.py|web/api/\w+_routes\.py|web/portal/\w+_page\.py"
)
WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

# Functions that have the same name in more modules than one, with the reason.
SAME_FUNCTION: dict[str, str] = {
    "main": "the entry point of a process: the command line's, and the one that pushes by Apprise",
}

# Enumerations whose values have another form, with the reason.
OTHER_FORMS: dict[str, str] = {
    "Ret": "RFC 3461 spells them in capitals",
    "Scope": "scopes of tokens are spelled as in OAuth, with a colon",
}

# Old words, with the word that replaced each.
BANNED: dict[str, str] = {
    "courier": "notice sender",
    "desk": "admin context, sign-in",
    "errand": "MX delivery",
    "inquiry": "callout",
    "lesson": "recipient learning",
    "letter": "mail, message",
    "news": "report facts, notice facts",
    "node": "ETRN target; a node is one server of a cluster",
    "office": "admin context",
    "parcel": "import stream",
    "promise": "quota reservation, acknowledgment",
}

# Class names of one word that a mail engineer understands without their module: terms of the field,
# and those of the design. A new class gets a name that says what it belongs to.
ONE_WORD: frozenset[str] = frozenset(
    {
        *("Absent", "Account", "Actor", "Application", "Authenticator", "Backlog", "Ballast"),
        *("Callouts", "Challenge", "Change", "Channel", "Check", "Clocks", "Column", "Config"),
        *("Conflict", "Counted", "Counts", "Damaged", "Deadline", "Destination", "Dialer"),
        *("Dialogue", "Directory", "Dispatcher", "Doorkeeper", "Doubts", "Drain", "Endpoint"),
        *("Envelope", "Event", "Exit", "Exposition", "Failure", "Findings", "Granted"),
        *("Handshake", "Health", "Intake", "Invitation", "Lane", "Ledger", "Listen", "Listener"),
        *("Listeners", "Log", "Login", "Mailbox", "Node", "Notice", "Notify", "Outbox"),
        *("Overtaken", "Patience", "Person", "Phase", "Pipelining", "Policy", "Precondition"),
        *("Principal", "Quota", "Read", "Recipient", "Refused", "Releaser", "Reloader", "Reply"),
        *("Report", "Requester", "Resolver", "Ret", "Retention", "Role", "Rounds", "Salting"),
        *("Schedule", "Scope", "Scrubber", "Section", "Settlement", "State", "Store"),
        *("Suspension", "Transports", "Turnaround", "Uptime", "Vault", "Visit", "Watcher", "Wire"),
        # the commands of SMTP, in smtp/commands.py and smtp/server_events.py
        *("Auth", "Authenticate", "Bdat", "Data", "Etrn", "Hello", "Help", "Mail", "Noop", "Quit"),
        *("Atrn", "Rcpt", "Reset", "Unimplemented", "Verify"),
    }
)

# Where an old word has a meaning of its own, with that meaning. A key is a path and an identifier.
OTHER_MEANINGS: dict[str, str] = {
    r".*:letter": "one character of a text",
    r".*:.*NODE_(INVALID|MISSING|NOT_ALLOWED)": "replies of RFC 1985, which says node",
    r".*:test_.*": "the name of a test is a sentence",
    r"tests/acceptance/.*:([cC]ourier|CourierPrimary)": "the mail server Courier",
    r"tests/acceptance/peers/node_servers\.py:.*": "primaries that run on Node.js",
    r"tests/smtp/test_replies\.py:nodes?": "the syntax trees of Python",
    r"(tests|tools)/.*:node": "a syntax tree of Python, where the file imports ast",
    r"((src/restante|tests)/(admin|cli|contract|contract_shared|server|store|telemetry|tenancy|web)"
    r"|bench/(scale|rows)|docs)/.*:.*([nN]ode|NODE).*": "a server of a cluster",
    r"tests/(postgres_cluster|acceptance/test_workers)\.py:.*[nN]ode.*": "a server of a cluster",
    r"tests/store/sqlite/test_migrations\.py:news": "a column in earlier versions of the store",
}


def classes() -> dict[str, set[str]]:
    """Return where each class is defined."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TOP.rglob("*.py"):
        for name in CLASS.findall(path.read_text()):
            found[name].add(path.relative_to(TOP).as_posix())
    return found


def definitions() -> dict[str, set[str]]:
    """Return where each class and each type alias is defined.

    A variable of types stands for something else in each function, so it may be defined twice. But
    it has no name of a class or an alias.
    """
    found = classes()
    variables: dict[str, set[str]] = defaultdict(set)
    for path in TOP.rglob("*.py"):
        place = path.relative_to(TOP).as_posix()
        for name, value in assignments(path.read_text()):
            (variables if is_type_variable(value) else found)[name].add(place)
    for name in variables.keys() & found.keys():
        found[name] |= variables[name]
    return found


def assignments(text: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield each name of a module that is written like a class's, with its value."""
    for node in parse_source(text).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if ALIAS.fullmatch(name):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if (
                ALIAS.fullmatch(name)
            ):
                yield name, value


def is_type_variable(value: ast.expr) -> bool:
    """Whether a value is a TypeVar, a TypeVarTuple or a ParamSpec."""
    return isinstance(value, ast.Call) and ast.unparse(value.func) in TYPE_VARIABLES


def modules() -> dict[str, set[str]]:
    """Return where each module is."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in TOP.rglob("*.py"):
        if path.stem not in ("__init__", "__main__"):
            found[path.stem].add(path.relative_to(TOP).as_posix())
    return found


def functions() -> dict[str, set[str]]:
    """Return where each public function is that is no entry point.

    The store on PostgreSQL makes the same changes as the one on SQLite, and names them alike.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in TOP.rglob("*.py"):
        place = path.relative_to(TOP).as_posix()
        if not ENTRIES.fullmatch(place):
            for node in parse_source(path.read_text()).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    is_second = place.startswith("store/postgres/")
                    found[f"{node.name} (PostgreSQL)" if is_second else node.name].add(place)
    return {name: places for name, places in found.items() if not name.startswith("_")}


@cache
def banned_words() -> list[str]:
    """Return each identifier with an old word, as `path:identifier`."""
    banned = {*BANNED, *(f"{word}s" for word in BANNED), "inquiries"}
    mention = re.compile("|".join(BANNED), re.IGNORECASE)
    found = []
    for top in ("src", "tests", "bench", "tools", "docs"):
        for path in sorted((TREE / top).rglob("*.py")):
            text = path.read_text()
            names = identifiers(text) if mention.search(text) else set()
            found += [
                f"{path.relative_to(TREE).as_posix()}:{name}"
                for name in sorted({path.stem, *names})
                if banned & {word.lower() for word in WORD.findall(name)}
            ]
    return found


def identifiers(text: str) -> set[str]:
    """Return the names that a module defines or uses."""
    found = (
        getattr(node, attribute, None)
        for node in ast.walk(parse_source(text))
        for attribute in ("name", "id", "attr", "arg")
    )
    return {name for name in found if isinstance(name, str)}


@pytest.mark.parametrize("find", [definitions, modules])
def test_a_name_is_defined_once(find: Callable[[], dict[str, set[str]]]) -> None:
    assert {name: sorted(places) for name, places in find().items() if len(places) > 1} == {}


def test_a_module_is_not_named_like_a_package() -> None:
    packages = {path.parent.name for path in TOP.rglob("__init__.py")} - {TOP.name}
    assert sorted(packages & set(modules())) == []


def test_a_function_is_defined_once() -> None:
    found = {name: sorted(places) for name, places in functions().items() if len(places) > 1}
    assert {name: found[name] for name in found if name not in SAME_FUNCTION} == {}
    assert set(SAME_FUNCTION) <= set(found), "an exception that nothing needs"


def test_a_class_of_one_word_is_a_term_of_the_field() -> None:
    public = {name for name in classes() if not name.startswith("_")}
    one_word = {name for name in public if len(WORD.findall(name)) == 1}
    assert one_word - ONE_WORD == set(), "a name that does not explain itself"
    assert ONE_WORD - one_word == set(), "no class has this name"


def test_old_words_stay_out() -> None:
    found = banned_words()
    unexplained = [
        one for one in found if not any(re.fullmatch(each, one) for each in OTHER_MEANINGS)
    ]
    assert unexplained == []
    needless = [
        each for each in OTHER_MEANINGS if not any(re.fullmatch(each, one) for one in found)
    ]
    assert needless == []


def test_old_words_are_found() -> None:
    found = set(banned_words())
    assert "tests/acceptance/peers/courier.py:CourierPrimary" in found
    assert "src/restante/smtp/replies.py:NODE_INVALID" in found


def test_the_functions_of_the_package_are_found() -> None:
    found = functions()
    assert len(found) > 500
    assert {"open_store", "open_configured_store", "main"} <= set(found)
    assert "list_accounts" in found
    assert len(found["list_accounts"]) == 1  # that of the API is an entry point


def test_the_classes_of_the_package_are_found() -> None:
    found = classes()
    assert len(found) > 500
    assert {"Login", "HeldMessage", "DutyLost", "_Job"} <= set(found)


def test_the_aliases_of_the_package_are_found() -> None:
    found = definitions()
    assert {"CheckVerdict", "ClientEvent", "JsonObject", "_BurstOwner", "UnixTime"} <= set(found)
    assert found["ClientEvent"] == {"smtp/client_events.py"}
    assert "SECONDS" not in found
    assert "_Answer" not in found  # a variable in several stores


def test_an_alias_is_told_from_a_value() -> None:
    text = "A = int\nRow = tuple[int, str]\nName: Any = str\nLIMIT = 3\nrow = 4\nT = TypeVar('T')\n"
    assert [name for name, _ in assignments(text)] == ["Row", "Name"]
    [(_, value)] = assignments("Row = TypeVar('Row')")
    assert is_type_variable(value)


def test_a_value_for_machines_is_a_word() -> None:
    """People read its text. A test of the metrics' labels walks those as well."""
    found = list(enumerated_words())
    assert len(found) > 300
    bad = sorted({(name, value) for name, value in found if not STABLE_WORD.fullmatch(value)})
    assert [one for one in bad if one[0] not in OTHER_FORMS] == []
    assert set(OTHER_FORMS) <= {name for name, _ in bad}, "an exception that nothing needs"
