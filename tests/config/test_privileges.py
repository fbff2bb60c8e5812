"""What a process keeps to itself, in a process of its own: there is no way back."""

import subprocess
import sys
from typing import Final

import pytest

SHOW: Final = """
import ctypes, resource
from restante.config.privileges import keep_memory_private
resource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)
for _ in range(2):
    print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[1])
    keep_memory_private()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[1])
"""  # 3 is PR_GET_DUMPABLE: 1 is a process that may be looked into, and dumped


@pytest.mark.skipif(sys.platform != "linux", reason="prctl(2) is of Linux")
def test_memory_is_neither_dumped_nor_shown() -> None:
    said = subprocess.run([sys.executable, "-c", SHOW], check=True, capture_output=True, text=True, timeout=60).stdout
    before, once, twice = (tuple(map(int, line.split())) for line in said.splitlines())
    assert before[0] == 1
    assert (once, twice) == ((0, 0), (0, 0))
