"""No more threads than a container or service manager grants processors."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.cores import CONTROL_GROUPS, granted

QUOTA = 50_000
PERIOD = 100_000

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="control groups are Linux's")


@pytest.fixture(autouse=True)
def eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))


def group(root: Path, path: str, **files: str) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text + "\n")


def within(tmp_path: Path, groups: str) -> int | None:
    (tmp_path / "cgroup").write_text(groups)
    return granted(tmp_path / "cgroup", tmp_path / "fs")


@pytest.mark.parametrize(
    ("quota", "expected"), [("200000 100000", 2), ("150000 100000", 2), ("20000 100000", 1), ("max 100000", None)]
)
def test_a_container_sees_its_own_group_as_the_top(tmp_path: Path, quota: str, expected: int | None) -> None:
    group(tmp_path / "fs", "", cpu_max=quota)
    assert within(tmp_path, "0::/\n") == expected


def test_the_least_grant_of_all_groups_above_counts(tmp_path: Path) -> None:
    group(tmp_path / "fs", "services.slice", cpu_max="300000 100000")
    group(tmp_path / "fs", "services.slice/page.service", cpu_max="max 100000")
    assert within(tmp_path, "0::/services.slice/page.service\n") == 3


def test_version_1(tmp_path: Path) -> None:
    group(tmp_path / "fs", "cpu,cpuacct/here", cpu_cfs_quota_us="400000", cpu_cfs_period_us="100000")
    group(tmp_path / "fs", "cpu,cpuacct", cpu_cfs_quota_us="-1", cpu_cfs_period_us="100000")
    assert within(tmp_path, "5:cpuset:/\n4:cpu,cpuacct:/here\n0::/\n") == 4


def test_a_path_outside_the_container_leads_to_its_top(tmp_path: Path) -> None:
    group(tmp_path / "fs", "cpu", cpu_cfs_quota_us="100000", cpu_cfs_period_us="100000")
    assert within(tmp_path, "4:cpu:/docker/0123abcd\n") == 1


@pytest.mark.parametrize("quota", ["900000 100000", "", "much", "1 2 3", "-1 100000", "100000 0"])
def test_no_grant_below_the_processors_there_are(tmp_path: Path, quota: str) -> None:
    group(tmp_path / "fs", "", cpu_max=quota)
    assert within(tmp_path, "0::/\n") is None


@pytest.mark.parametrize("groups", ["", "nonsense", "0::"])
def test_groups_that_cannot_be_read(tmp_path: Path, groups: str) -> None:
    assert within(tmp_path, groups) is None
    assert granted(tmp_path / "none", tmp_path) is None


@pytest.fixture
def half_a_processor() -> Iterator[Path]:
    """The file that a process writes itself into, to be granted half a processor from then on."""
    for top, limits in (
        (CONTROL_GROUPS / "cpu", {"cpu.cfs_period_us": str(PERIOD), "cpu.cfs_quota_us": str(QUOTA)}),
        (CONTROL_GROUPS, {"cpu.max": f"{QUOTA} {PERIOD}"}),
    ):
        folder = top / f"chapter-and-verse-{os.getpid()}"
        try:
            folder.mkdir()
            for name, value in limits.items():
                (folder / name).write_text(value)
        except OSError:
            if folder.exists():
                folder.rmdir()
            continue
        yield folder / "cgroup.procs"
        folder.rmdir()
        return
    pytest.skip("needs the right to limit a process")


def test_a_limited_process_reads_with_the_threads_it_is_granted(half_a_processor: Path) -> None:
    script = """
import os, sys
open(sys.argv[1], "w").write(str(os.getpid()))
from qa.network import Network
from qa.span_reader import BUNDLED_READER
import faiss
network = Network(BUNDLED_READER / "reader.xml")
print(faiss.omp_get_max_threads(), network._compiled.get_property("INFERENCE_NUM_THREADS"))
"""
    command = [sys.executable, "-c", script, str(half_a_processor)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]
