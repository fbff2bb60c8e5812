"""Fuzz one target for some seconds: `python -m tests.fuzz.run TARGET SECONDS`.

A finding is written to tests/fuzz/findings/TARGET, where every run of the tests replays it. Give
the file a name that describes it. Inputs that reached new code stay in var/fuzz/TARGET, where the
next run starts.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any, Final

from tests.fuzz.targets import CORPUS, FINDINGS, TARGETS, check_of

_HERE: Final = Path(__file__).parent
_LONGEST_INPUT: Final = (
    4096  # octets: a command line that is too long fits in; more would only be slow
)
_LONGEST_RUN: Final = 20  # seconds for one input; more is a finding
_MOST_MEMORY: Final = 1024  # MiB; more is a finding


def main() -> None:
    """Fuzz. Ends the process: with 0 if nothing was found."""
    options = _options()
    atheris: Any = importlib.import_module(
        "atheris"
    )  # has no type hints, and is not on every platform
    target: str = options.target
    if target not in TARGETS:
        sys.exit(f"no such target: {target}; there are {', '.join(TARGETS)}")
    ours = ["restante", "restante_client"]
    with atheris.instrument_imports(include=ours, enable_loader_override=False):
        check = check_of(target)
    kept: Path = options.kept or Path("var/fuzz") / target
    findings: Path = options.findings or FINDINGS / target
    seeds = [place for place in (CORPUS / target, FINDINGS / target) if place.is_dir()]
    for place in (kept, findings):
        place.mkdir(parents=True, exist_ok=True)
    settings = {
        "max_total_time": max(1, options.seconds),  # 0 would have no end
        "max_len": _LONGEST_INPUT,
        "timeout": _LONGEST_RUN,
        "rss_limit_mb": _MOST_MEMORY,
        "dict": _HERE / "words.dict",
        "artifact_prefix": f"{findings}/",
        "print_final_stats": 1,
        **({"seed": options.seed} if options.seed else {}),
    }
    flags = [f"-{name}={value}" for name, value in settings.items()]
    atheris.Setup([sys.argv[0], *flags, str(kept), *map(str, seeds)], check)
    atheris.Fuzz()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.run", description="Fuzz one target."
    )
    parser.add_argument("target")
    parser.add_argument("seconds", type=int)
    parser.add_argument(
        "--kept", type=Path, help="where inputs that reach new code are kept; else var/fuzz/TARGET"
    )
    parser.add_argument(
        "--findings", type=Path, help="where findings go; else tests/fuzz/findings/TARGET"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the fuzzer's dice; else another each time"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
