"""The seed of tests that draw what they do. Exploring is for the campaigns and the fuzzers."""

from __future__ import annotations

import os
from typing import Final

# The same in each run, so that a test fails because the code has changed. RESTANTE_SEED: another.
SEED: Final = int(os.environ.get("RESTANTE_SEED") or 1)
