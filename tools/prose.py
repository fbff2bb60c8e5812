"""Check documents, docstrings, comments and messages against the rules of plain English.

    python -m tools.prose               every file: fails if one breaks the rules more than it may
    python -m tools.prose PATH…         these files or directories: every finding, ratchet or not
    python -m tools.prose --totals      the number of sentences, and of findings of each rule
    python -m tools.prose --update      record the present counts; the sum of all may not rise

Files that are not yet rewritten stand in `prose-ratchet.txt` with the number of their findings. A
file may have fewer than that, never more; a file that is not in the list may have none. Run
`--update` after a rewrite, or after a move of files.

Exit codes: 0 if all is well, 1 if there are findings, 2 for a path that cannot be checked.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.prose_rules import Finding, check, count_sentences
from tools.prose_sources import read_source

TOP = Path(__file__).parents[1]
RATCHET = Path(__file__).parent / "prose-ratchet.txt"
PATTERNS = ["*.md", "docs/**/*.md", "docs/*.py", "bench/*.md", "src/**/*.py", "tools/**/*.py"]
# Written by programs: the texts of the first are in src, and the second is a table of figures.
GENERATED = ["docs/reference/", "docs/benchmarks.md"]
RULES = ["sentence-length", "noun-clause", "word", "line-length"]


@dataclass(slots=True)
class Tally:
    """The findings of each file, by its path from the top of the repository."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)
    sentences: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """Return the number of findings of each file that has some."""
        return {path: len(found) for path, found in self.findings.items() if found}


def main(arguments: Sequence[str] | None = None, top: Path = TOP, ratchet: Path = RATCHET) -> int:
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
    if options.update:
        return _update(tally.counts(), ratchet)
    allowed = {} if options.paths else read_ratchet(ratchet)
    lines = list(excess(tally, allowed))
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.prose",
        description="Check documents, docstrings, comments and messages for plain English.",
    )
    parser.add_argument("paths", nargs="*", type=Path, help="files or directories (default: all)")
    parser.add_argument("--totals", action="store_true", help="print the number of findings")
    parser.add_argument("--update", action="store_true", help="record the present counts")
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
        source = read_source(path)
        name = _relative(path, top)
        tally.findings[name] = check(source)
        tally.sentences[name] = count_sentences(source)
    return tally


def excess(tally: Tally, allowed: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for each finding of a file that may have none.

    A file that may have some, and has more, gets one line: which of them are new is not known.
    """
    for path, found in tally.findings.items():
        limit = allowed.get(path, 0)
        if limit and len(found) > limit:
            more = f"{len(found)} findings; at most {limit} are allowed"
            yield f"{path}: {more}; to see them, run `python -m tools.prose {path}`"
        elif not limit:
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


# -- the ratchet --------------------------------------------------------------------------------


def read_ratchet(path: Path) -> dict[str, int]:
    """Return how many findings each file may have. A missing list allows none."""
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return {name: int(count) for count, name in rows}


def _update(counts: Mapping[str, int], ratchet: Path) -> int:
    before = sum(read_ratchet(ratchet).values())
    after = sum(counts.values())
    if ratchet.exists() and after > before:
        print(
            f"prose: {after} findings, {before} in the ratchet: the sum may only fall; "
            "correct the new sentences, then update again",
            file=sys.stderr,
        )
        return 1
    head = [
        "# How many findings of `python -m tools.prose` a file may have until it is rewritten.",
        "# A number may only fall. A file that is not listed may have none.",
    ]
    rows = [f"{count:5} {name}" for name, count in sorted(counts.items())]
    ratchet.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    print(f"prose: {after} findings in {len(counts)} files; {before} before")
    return 0


if __name__ == "__main__":
    sys.exit(main())
