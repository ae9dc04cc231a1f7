"""Print rows a second of an import beside a bare email-validator loop over the same addresses, and peak memory.

Run `uv run python -m tests.benchmarks.importing [ROWS] [sqlite|postgresql]...`. The import is `digest subscribers
import --confirmed`, consent events included, in a process of its own; the loop checks syntax as a list does, without
DNS. A part of the rows is looped over, since the loop is as fast for one row as for a million.
"""

import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from email_validator import validate_email

from tests.benchmarks.databases import benchmark_database
from tests.support.newsroom import Publication

_LOOPED = 20_000


def write_list(path: Path, rows: int) -> None:
    """Write a list of addresses of many domains, each with a name, as lists have them."""
    with path.open("w", encoding="utf-8") as file:
        file.write("email,name\n")
        for number in range(rows):
            file.write(f"reader.{number}@mail{number % 5_000}.example.org,Reader {number}\n")


def loop_rate(rows: int) -> float:
    """Return the addresses a second of a bare loop."""
    addresses = [f"reader.{number}@mail{number % 5_000}.example.org" for number in range(min(rows, _LOOPED))]
    began = time.perf_counter()
    for address in addresses:
        validate_email(address, check_deliverability=False)
    return len(addresses) / (time.perf_counter() - began)


def import_rate(kind: str, rows: int) -> tuple[float, float]:
    """Return the rows a second of an import, and its peak memory in MB."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        with benchmark_database(kind, folder) as found:
            publication = Publication(folder, found.url)
            publication.run("subscribers", "list")  # creates the tables
            write_list(folder / "list.csv", rows)
            began = time.perf_counter()
            process = publication.start(
                "subscribers", "import", str(folder / "list.csv"), "--confirmed", "on paper", "--quiet"
            )
            assert process.wait() == 0
            seconds = time.perf_counter() - began
        return rows / seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Print a line a database: the loop stands in the same run, before and after."""
    arguments = sys.argv[1:]
    rows = int(arguments[0]) if arguments else 1_000_000
    for kind in arguments[1:] or ["sqlite", "postgresql"]:
        before = loop_rate(rows)
        rate, peak = import_rate(kind, rows)
        loop = (before + loop_rate(rows)) / 2
        print(  # noqa: T201
            f"{kind}: {rows:,} rows, {rate:,.0f} a second, {rate / loop:.2f} of the bare loop ({loop:,.0f});"
            f" peak {peak:.0f} MB of any process so far",
            flush=True,
        )


if __name__ == "__main__":
    main()
