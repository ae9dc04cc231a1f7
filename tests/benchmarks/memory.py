"""Print the peak memory of `digest send`, whole, at growing numbers of readers: it should be flat.

Run `uv run python -m tests.benchmarks.memory [READERS...]`.
"""

import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.delivery import Target, prepare
from tests.benchmarks.relays import sink


def peak_of(readers: int) -> tuple[float, float]:
    """Give the peak memory in MB (resident) and the seconds that one edition takes."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    with sink() as found:
        publication = prepare(folder, Target(found), readers, 10, "unsigned", f"sqlite:///{folder}/digest.db")
        began = time.monotonic()
        process = publication.start("send", "world", "--now", "--quiet")
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, _high_water(process.pid))
            time.sleep(0.02)
        seconds = time.monotonic() - began
    shutil.rmtree(folder)
    assert process.returncode == 0, process.returncode
    return peak, seconds


def _high_water(pid: int) -> float:
    """Give the peak so far; what wait4(2) tells would hold this program's own, from before exec."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) / 1024 if found else 0


def main() -> None:
    """Print a line a number of readers."""
    for readers in [int(number) for number in sys.argv[1:]] or [1_000, 10_000, 100_000, 1_000_000]:
        peak, seconds = peak_of(readers)
        print(f"{readers:,} readers: peak {peak:.0f} MB, {seconds:.0f} s", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
