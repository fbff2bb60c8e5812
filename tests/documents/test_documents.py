"""Every block of every page works as it stands: it is run from the page's own text.

Inline commands are checked too: each `restante …` in a sentence is a command of the program with
options that it has.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from tests.documents.blocks import Block, read_blocks
from tests.documents.command_check import complaint
from tests.documents.machine import AS_SHELL, CHECKOUT, PARSED, TEXT, parse, run_page
from tests.documents.pages import MADE, PAGES, Page

PLACES: Final = [".", "docs", "docs/how-to", "docs/explanation", "bench"]
LANGUAGES: Final = {*AS_SHELL, *PARSED, TEXT}
INLINE: Final = re.compile(r"`(restante [^`]+)`")
IN_CONTAINER: Final = re.compile(
    r"^(?:docker|kubectl) .*?(?:exec|run) (?:--\S+ )*[\w-]+(?: --)? (restante .+)$", re.MULTILINE
)


def pages() -> dict[str, list[Block]]:
    """Return the blocks of every page that people read, the generated reference apart."""
    paths = sorted(path for place in PLACES for path in (CHECKOUT / place).glob("*.md"))
    names = [path.relative_to(CHECKOUT).as_posix() for path in paths]
    return {name: read_blocks(path, name) for name, path in zip(names, paths, strict=True)}


BLOCKS: Final = pages()
RUN: Final = {
    name: [block for block in blocks if block.language in AS_SHELL and not block.why_not_run]
    for name, blocks in BLOCKS.items()
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", [name for name, blocks in RUN.items() if blocks])
def test_the_blocks_of_a_page_work_in_their_order(name: str) -> None:
    page = PAGES.get(name, Page())
    headings = {block.heading for block in RUN[name]}
    assert set(page.before) <= headings, "a heading of the setup is not on the page"
    base = MADE if page.setup.startswith(MADE) else ""
    run_page(base, page.setup.removeprefix(base), page.before, RUN[name])


@pytest.mark.parametrize(
    "block",
    [block for blocks in BLOCKS.values() for block in blocks],
    ids=lambda block: block.place,
)
def test_a_block_says_what_language_it_is_in(block: Block) -> None:
    assert block.language in LANGUAGES, (
        f"{block.place}: name one of {sorted(LANGUAGES)} behind the fence"
    )
    if block.language in PARSED:
        parse(block)


def test_only_blocks_that_need_what_no_test_has_are_left_out() -> None:
    """Each of them was read for this list; one more needs a look and its number here."""
    left_out = [block for blocks in BLOCKS.values() for block in blocks if block.why_not_run]
    reasons = {block.why_not_run for block in left_out}
    assert reasons <= {
        "asks an authority",
        "installs packages",
        "needs the package registry",
        "the environment is there already; it needs the package registry",
        "there is no directory service",
        "tests/acceptance/test_monitoring.py runs it, by the promtool of Debian's package",
    }
    assert len(left_out) <= 13


def inline_commands() -> list[tuple[str, str]]:
    """Return the commands in sentences, tables and containers that no test has, with their page."""
    found = []
    for name in BLOCKS.keys() - {"CHANGELOG.md"}:  # it is about earlier versions too
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        prose = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
        found += [(name, " ".join(command.split())) for command in INLINE.findall(prose)]
        found += [(name, command) for command in IN_CONTAINER.findall(text)]
    return sorted(found)


@pytest.mark.parametrize(("name", "command"), inline_commands())
def test_a_command_in_a_sentence_is_one_of_the_program(name: str, command: str) -> None:
    words = shlex.split(command.replace("…", ""))
    assert complaint(words) == "", f"{name}: {command}"


def test_a_fence_that_never_closes_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```sh\ntrue\n")
    with pytest.raises(ValueError, match=r"page\.md:3: the block never ends"):
        read_blocks(page, "page.md")
