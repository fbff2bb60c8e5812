"""The example of docs/how-to/get-notices.md, unchanged: tests use the code that people copy."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOW_TO = Path(__file__).parents[1] / "docs" / "how-to" / "get-notices.md"


def _load() -> Callable[..., bool]:
    blocks = re.findall(r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL)
    [example] = [block for block in blocks if "def verify" in block]
    names: dict[str, Any] = {}
    exec(compile(example, str(HOW_TO), "exec"), names)
    found: Callable[..., bool] = names["verify"]
    return found


verify = _load()
