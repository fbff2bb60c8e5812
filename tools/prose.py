"""Check documents, docstrings, comments and messages against the rules of plain English.

    python -m tools.prose               every finding in every file
    python -m tools.prose PATH…         every finding in these files or directories
    python -m tools.prose --totals      the number of sentences, and of findings of each rule

Exit codes: 0 if all is well, 1 if there are findings, 2 for a path that cannot be checked.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.prose_rules import Finding, check, count_sentences
from tools.prose_sources import read_source

TOP = Path(__file__).parents[1]
PATTERNS = ["*.md", "docs/**/*.md", "docs/*.py", "bench/*.md"]
PATTERNS += ["src/**/*.py", "tools/**/*.py", "tests/**/*.py", "bench/**/*.py"]
PATTERNS += ["demo/*.py"]
# Written by programs: the texts of the first are in src, and the second is a table of figures.
GENERATED = ["docs/reference/", "docs/benchmarks.md"]
# The literals of tests are data: words of other programs, scripts, and texts that are wrong on
# purpose. Their docstrings and comments count.
DATA = "tests/"
RULES = ["sentence-length", "noun-clause", "word", "line-length"]


@dataclass(slots=True)
class Tally:
    """The findings of each file, by its path from the top of the repository."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    sentences: Counter[str] = field(default_factory=Counter)


def main(arguments: Sequence[str] | None = None, top: Path = TOP) -> int:
    """Run the checker and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        paths = sorted(_named(options.paths, top) if options.paths else every_file(top))
        tally = examine(paths, top)
    except (OSError, ValueError) as error:
        print(f"prose: {error}", file=sys.stderr)
        return 2
    if options.totals:
        print("\n".join(totals(tally)))
        return 0
    lines = list(findings(tally))
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.prose",
        description="Check documents, docstrings, comments and messages for plain English.",
    )
    parser.add_argument("paths", nargs="*", type=Path, help="files or directories (default: all)")
    parser.add_argument("--totals", action="store_true", help="print the number of findings")
    return parser


def every_file(top: Path) -> set[Path]:
    """Return each file with prose of our own."""
    return {
        path for pattern in PATTERNS for path in top.glob(pattern) if not _is_generated(path, top)
    }


def _named(paths: Iterable[Path], top: Path) -> set[Path]:
    found: set[Path] = set()
    for path in paths:
        if path.is_dir():
            inside = [each.resolve() for each in path.rglob("*") if each.suffix in {".md", ".py"}]
            found.update(each for each in inside if not _is_generated(each, top))
        else:
            found.add(path.resolve())
    return found


def _is_generated(path: Path, top: Path) -> bool:
    return _relative(path, top).startswith(tuple(GENERATED))


def _relative(path: Path, top: Path) -> str:
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else str(path)


def examine(paths: Iterable[Path], top: Path) -> Tally:
    """Check these files. Raises OSError or ValueError for one that cannot be read."""
    tally = Tally()
    for path in paths:
        name = _relative(path, top)
        source = read_source(path, has_texts=not name.startswith(DATA))
        tally.findings[name] = check(source)
        tally.sentences[name] = count_sentences(source)
    return tally


def findings(tally: Tally) -> Iterator[str]:
    """Yield a line for each finding."""
    for path, found in tally.findings.items():
        for finding in found:
            yield f"{path}:{finding.line}: {finding.rule}: {finding.text}"


def totals(tally: Tally) -> Iterator[str]:
    """Yield a table: for documents and for code, the sentences and the findings of each rule."""
    yield f"{'':10}{'files':>8}{'sentences':>11}" + "".join(f"{rule:>17}" for rule in RULES)
    groups = {
        "documents": [path for path in tally.findings if path.endswith(".md")],
        "code": [path for path in tally.findings if not path.endswith(".md")],
        "all": list(tally.findings),
    }
    for name, paths in groups.items():
        by_rule = Counter(finding.rule for path in paths for finding in tally.findings[path])
        row = f"{name:10}{len(paths):>8}{sum(tally.sentences[path] for path in paths):>11}"
        yield row + "".join(f"{by_rule[rule]:>17}" for rule in RULES)


if __name__ == "__main__":
    sys.exit(main())
