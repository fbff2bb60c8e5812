"""The tests mirror the package: src/restante/a/b.py is tested by tests/a/test_b.py.

A module may lack a test of its name for one of three reasons:

- It only defines: constants, protocols, enumerations, errors, and records whose methods take no
  decision.
- It implements a part of the store. The contract suite tests each part on every implementation:
  tests/contract/test_queue.py is the test of memory_queue.py and sqlite_queue.py.
- It is in ELSEWHERE, with the test that drives it.
"""

import ast
from pathlib import Path

import pytest

import restante
from tests.source_tree import parse_source

TOP = Path(restante.__file__).parent
TESTS = Path(__file__).parent

# Modules without a decision of their own to test, such as wiring, with the test that drives them.
ELSEWHERE: dict[str, str] = {
    "notices/account_notices.py": "tests/notices/test_notice_rules.py",
    "notices/domain_notices.py": "tests/notices/test_notice_rules.py",
    "notices/notice_making.py": "tests/notices/test_notice_rules.py",
    "notices/notice_service.py": "tests/acceptance/test_s14_notices.py",
    "notices/server_notices.py": "tests/notices/test_notice_rules.py",
    "server/administration.py": "tests/server/test_server_life.py",
    "server/build_admin.py": "tests/server/test_reload.py",
    "server/build_delivery.py": "tests/server/test_reload.py",
    "server/build_reception.py": "tests/server/test_reload.py",
    "server/build_upkeep.py": "tests/server/test_reload.py",
    "server/build_web.py": "tests/server/test_reload.py",
    "store/postgres/audit_writing.py": "tests/contract/test_audit.py",
    "store/postgres/content_chunks.py": "tests/contract/test_content.py",
    "store/postgres/directory_reading.py": "tests/contract/test_changes.py",
    "store/postgres/drain_changes.py": "tests/contract/test_drains.py",
    "store/postgres/due_reading.py": "tests/contract/test_reports.py",
    "store/postgres/held_reading.py": "tests/contract/test_windows.py",
    "store/postgres/identity_writing.py": "tests/contract/test_tokens.py",
    "store/postgres/mail_history_queries.py": "tests/contract/test_history.py",
    "store/postgres/mail_statements.py": "tests/store/postgres/test_plans.py",
    "store/postgres/move_mark_row.py": "tests/store/moving/test_store_mover.py",
    "store/postgres/move_statements.py": "tests/store/moving/test_store_mover.py",
    "store/postgres/postgres_move.py": "tests/store/moving/test_store_mover.py",
    "store/postgres/postgres_transaction.py": "tests/store/postgres/test_postgres_core.py",
    "store/postgres/queue_reading.py": "tests/contract/test_queue.py",
    "store/postgres/record_statements.py": "tests/contract/test_records.py",
    "store/postgres/report_changing.py": "tests/contract/test_reports.py",
    "store/postgres/settling.py": "tests/contract/test_handover.py",
    "store/sqlite/history_changes.py": "tests/contract/test_history.py",
    "store/sqlite/history_schema.py": "tests/store/sqlite/test_migrations.py",
    "store/sqlite/mail_schema.py": "tests/store/sqlite/test_migrations.py",
    "store/sqlite/move_queries.py": "tests/store/moving/test_store_mover.py",
    "store/sqlite/portal_schema.py": "tests/store/sqlite/test_migrations.py",
    "store/sqlite/portal_user_changes.py": "tests/contract/test_portal_users.py",
    "store/sqlite/release_changes.py": "tests/contract/test_releases.py",
    "store/sqlite/sqlite_move.py": "tests/store/moving/test_store_mover.py",
    "store/sqlite/token_changes.py": "tests/contract/test_tokens.py",
    "store/stored_form/naming_tables.py": "tests/contract/test_persons.py",
    "store/stored_form/schedule_rows.py": "tests/contract/test_schedule.py",
}

RECORDS = {
    *("Enum", "IntEnum", "StrEnum", "StableWord", "Flag", "IntFlag"),
    *("NamedTuple", "TypedDict", "BaseModel"),
}
DECISIONS = (
    *(ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.Match, ast.BoolOp),
    *(ast.Compare, ast.comprehension, ast.Assert, ast.Raise, ast.Await, ast.Yield, ast.Lambda),
)


def modules() -> list[str]:
    """Return the path of each module inside the package."""
    found = (path.relative_to(TOP) for path in TOP.rglob("*.py"))
    return sorted(path.as_posix() for path in found if not path.stem.startswith("__"))


def has_a_test(module: str) -> bool:
    """Tell whether a test has the name of this module, in the same place."""
    path = TESTS / module
    return path.with_name(f"test_{path.name}").exists()


def needs_a_test(module: str) -> bool:
    """Tell whether only a test of its name is a test of this module."""
    return not (only_defines((TOP / module).read_text()) or is_part_of_a_store(module))


def is_part_of_a_store(module: str) -> bool:
    """Tell whether the contract suite has a test of the part that this module implements."""
    for kind in ("memory", "sqlite", "postgres"):
        if module.startswith(prefix := f"store/{kind}/{kind}_"):
            return (TESTS / "contract" / f"test_{module.removeprefix(prefix)}").exists()
    return False


def only_defines(text: str) -> bool:
    """Tell whether a module with this text has nothing that decides or acts."""
    errors: set[str] = set()
    for node in parse_source(text).body:
        if not (is_definition(node, errors) if isinstance(node, ast.ClassDef) else is_value(node)):
            return False
    return True


def is_definition(node: ast.ClassDef, errors: set[str]) -> bool:
    """Tell whether a class is a protocol, or a record or an error without decisions.

    `errors` are the errors that the module has defined before; one of them is added.
    """
    bases = {ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases}
    if "Protocol" in bases:
        return True
    decorators = {ast.unparse(each).partition("(")[0] for each in node.decorator_list}
    is_record = "dataclass" in decorators or bool(bases & RECORDS)
    is_error = bool(bases & errors) or any(base.endswith(("Error", "Exception")) for base in bases)
    if is_error:
        errors.add(node.name)
    return (is_record or is_error) and not holds(node, DECISIONS)


def is_value(node: ast.stmt) -> bool:
    """Tell whether a statement of a module is a docstring, an import, or a value."""
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    return isinstance(node, kinds) and not holds(node, (ast.Lambda,))


def holds(node: ast.AST, kinds: tuple[type[ast.AST], ...]) -> bool:
    """Tell whether a node of one of these kinds is inside this one."""
    return any(isinstance(each, kinds) for each in ast.walk(node))


def test_each_module_has_a_test_of_its_name() -> None:
    lacking = [one for one in modules() if not has_a_test(one) and one not in ELSEWHERE]
    assert [one for one in lacking if needs_a_test(one)] == []


def test_a_module_with_a_test_of_its_name_needs_no_excuse() -> None:
    assert [one for one in ELSEWHERE if has_a_test(one) or not needs_a_test(one)] == []


def test_excuses_are_for_modules_that_exist_and_in_their_order() -> None:
    assert set(ELSEWHERE) <= set(modules())
    assert list(ELSEWHERE) == sorted(ELSEWHERE)


def test_the_tests_that_drive_other_modules_exist() -> None:
    assert [path for path in ELSEWHERE.values() if not (TESTS.parent / path).exists()] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"""A document."""\nimport os\nfrom enum import Enum\nA: int = 1\nB = os.sep',
        "if TYPE_CHECKING:\n    import os",
        "class Port(Protocol):\n    def get(self) -> int:\n        return 1 if self.a else 2",
        "class Color(enum.Enum):\n    RED = 1",
        "class Lost(StoreError):\n    def __init__(self) -> None:\n        self.number = 1",
        "class Settings(BaseModel):\n    port: int = Field(default=25, ge=1)",
        "class Broken(Exception):\n    pass\nclass Lost(Broken):\n    pass",
        "@dataclass(frozen=True)\nclass A:\n    def sum(self) -> int:\n        return self.a + 1",
    ],
)
def test_a_module_that_only_defines(text: str) -> None:
    assert only_defines(text)


@pytest.mark.parametrize(
    "text",
    [
        "def f() -> int:\n    return 1",
        "A = lambda: 1",
        "if os.name == 'posix':\n    A = 1",
        "class Counter:\n    pass",
        "class Wrong(Exception):\n    def __init__(self) -> None:\n        self.a = 1 or 2",
        "@dataclass\nclass A:\n    def max(self) -> int:\n        return 1 if self.a else 2",
    ],
)
def test_a_module_that_acts(text: str) -> None:
    assert not only_defines(text)
