"""How much of the memory that a process no longer uses it keeps for later."""

from __future__ import annotations

import ctypes
import sys

ARENAS = 2
"""Heaps that threads take their memory from. By default it is eight for each processor, and what one thread frees is
not there for another: the page alone has a dozen threads, of which one or two compute."""

LARGE = 1 << 20
"""Bytes from which on a block is the system's again as soon as it is freed. By default this grows to 32 MB with the
blocks that are freed, and smaller ones then leave gaps behind."""

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of glibc's malloc.h


def keep_little_free() -> None:
    """From now on keep little memory that is not in use, in this whole process, which should be the program's own.

    Only glibc can be told; elsewhere all stays as it is.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(_M_ARENA_MAX, ARENAS)
