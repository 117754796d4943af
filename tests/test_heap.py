"""Memory that is freed is the system's again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

MEASURE = """
import sys
import numpy as np
from qa.heap import keep_little_free

def held():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("RssAnon"))

if sys.argv[1] == "little":
    keep_little_free()
for megabytes in (20, 5):
    before = held()
    np.ones(megabytes << 20, dtype=np.uint8)  # and freed
print((held() - before) // 1000)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_large_blocks_are_given_back() -> None:
    kept = {
        how: int(subprocess.run([sys.executable, "-c", MEASURE, how], capture_output=True, check=True).stdout)
        for how in ("much", "little")
    }
    assert kept["little"] == 0
    assert kept["much"] == 5  # or this test shows nothing
