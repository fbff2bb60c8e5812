from pathlib import Path

import pytest

from tools import prose

PARKED = "Mail is parked.\n"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a repository whose README has two findings and whose module has one."""
    (tmp_path / "README.md").write_text(PARKED + PARKED)
    module = tmp_path / "src" / "restante" / "one.py"
    module.parent.mkdir(parents=True)
    module.write_text(f'"""{PARKED}"""\n')
    return tmp_path


def run(top: Path, *arguments: str) -> int:
    return prose.main(arguments, top)


def test_findings_are_printed_with_path_line_rule_and_text(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(top) == 1
    assert capsys.readouterr().out == (
        'README.md:1: word: "parked": write mark refused, hold\n'
        'README.md:2: word: "parked": write mark refused, hold\n'
        'src/restante/one.py:1: word: "parked": write mark refused, hold\n'
    )


def test_only_named_paths_are_checked(top: Path) -> None:
    (top / "SECURITY.md").write_text("Mail is held.\n")
    assert run(top, str(top / "SECURITY.md")) == 0
    assert run(top, str(top / "README.md")) == 1
    assert run(top, str(top / "src")) == 1


def test_a_long_line_of_a_document_is_a_finding_unless_it_is_a_table(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (top / "README.md").write_text(f"{'held ' * 20}m\n\n| {'held ' * 20}|\n")
    assert run(top, str(top / "README.md")) == 1
    assert capsys.readouterr().out == (
        "README.md:1: line-length: 101 columns; at most 100 are allowed\n"
    )


def test_generated_pages_are_left_out(top: Path) -> None:
    (top / "docs" / "reference").mkdir(parents=True)
    (top / "docs" / "reference" / "events.md").write_text(PARKED)
    (top / "docs" / "benchmarks.md").write_text(PARKED)
    assert run(top, str(top / "docs")) == 0


def test_totals_count_sentences_and_findings(top: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(top, "--totals") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["files", "sentences", *prose.RULES]
    assert rows[1:] == [
        ["documents", "1", "2", "0", "0", "2", "0"],
        ["code", "1", "1", "0", "0", "1", "0"],
        ["all", "2", "3", "0", "0", "3", "0"],
    ]


@pytest.mark.parametrize("name", ["missing.md", "notes.txt", "broken.py"])
def test_a_path_that_cannot_be_checked_ends_with_2(
    top: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (top / "notes.txt").write_text("")
    (top / "broken.py").write_text("def")
    assert run(top, str(top / name)) == 2
    assert name in capsys.readouterr().err


def test_the_repository_keeps_the_rules() -> None:
    assert prose.main([]) == 0


def test_the_literals_of_tests_are_data_and_their_comments_are_prose(
    top: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    test = top / "tests" / "test_one.py"
    test.parent.mkdir()
    test.write_text('"""Mail is held."""\n\nTEXT = "Mail is parked there."\n# Mail is parked.\n')
    assert run(top, str(test)) == 1
    assert capsys.readouterr().out == (
        'tests/test_one.py:4: word: "parked": write mark refused, hold\n'
    )
