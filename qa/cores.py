"""How many processors this process may use, where a container or service manager grants less than all of them.

Such a grant is time, not processors: what starts a thread for each processor it sees is stopped again and again.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows its control groups, of either version."""


def granted(groups: Path = Path("/proc/self/cgroup"), root: Path = CONTROL_GROUPS) -> int | None:
    """Processors granted to this process, rounded up, at least 1; None where no grant is below what it sees.

    The least grant counts of the control groups that this process is in and of those above them.
    """
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    least = min(_shares(groups, root), default=math.inf)
    return max(1, math.ceil(least)) if least < seen else None


def _shares(groups: Path, root: Path) -> Iterator[float]:
    try:
        lines = groups.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    for controllers, path in (line.split(":", 2)[1:] for line in lines if line.count(":") >= 2):
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / controllers
        inside = top / path.strip("/")  # in a container what stands here may be the path outside: then only `top` is
        for folder in (inside, *inside.parents):
            yield from _share(folder)
            if folder == top:
                break


def _share(folder: Path) -> Iterator[float]:
    """The processors' time that a group is granted, if it is limited: of version 2, or of version 1."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((folder / name).read_text(encoding="utf-8") for name in names).split()
            if float(quota) > 0:  # -1 is no limit
                yield float(quota) / float(period)
        except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max": no limit
            pass


CORES = granted()
if CORES is not None:
    os.environ.setdefault("OMP_NUM_THREADS", str(CORES))  # read when FAISS and torch are imported
