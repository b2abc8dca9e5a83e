"""A process that writes rows to a ledger and says which ones were acknowledged.

    python writer.py LEDGER ROWS [FILE_SIZE_LIMIT]

ROWS 0 writes for ever. Trouble is printed as lines that begin with ``!``.
"""

import os
import resource
import sys

from anyfast_nb.ledger import Ledger, RequestRow
from anyfast_nb.wire.values import Source, Status, Usage


def main(place: str, rows: int, file_size_limit: int) -> None:
    """Begin each row, settle every second."""
    if file_size_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_limit, file_size_limit))
    ledger = Ledger(place, warn=lambda text: print(f"!{text}", flush=True), wait_s=0.05)
    done = 0
    while not rows or done < rows:
        row = RequestRow(
            kind="chat",
            source=Source.SIMULATED,
            base_url="http://127.0.0.1:8765/v1",
            model="doubao-seed-2.0-lite",
            title=f"row {done} of process {os.getpid()}",
        )
        print("begun", ledger.begin(row), flush=True)
        if done % 2:
            ledger.settle(row.id, status=Status.OK, usage=Usage(input_tokens=done, output_tokens=1))
            print("settled", row.id, flush=True)
        done += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
