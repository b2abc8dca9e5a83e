"""Callers that spend against a budget until nothing more fits, in threads over one ledger.

    python spender.py LEDGER THREADS WORST SEED

Each reserves WORST tokens, begins its request, and settles it with at most as
many, until the ledger says that less than WORST would be left. Printed is what
all of them used, and how often they were refused.
"""

import random
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from anyfast_nb.errors import BudgetError
from anyfast_nb.ledger import Ledger, RequestRow
from anyfast_nb.ledger.budget.values import Ask
from anyfast_nb.wire.values import Source, Status, Usage


def spend(ledger: Ledger, *, callers: int, worst: int, seed: int) -> tuple[int, int]:
    """What they used together, and how often they were refused."""
    start = threading.Barrier(callers)

    def caller(number: int) -> tuple[int, int]:
        dice = random.Random(seed * 1000 + number)
        used = refused = 0
        start.wait()
        while True:
            row = RequestRow(kind="chat", source=Source.LIVE, base_url="https://host/v1", model="pro")
            try:
                ledger.reserve(Ask(id=row.id, tokens=worst))
            except BudgetError:
                refused += 1
                (state,) = ledger.budgets()
                if state.spent + worst > state.budget.amount:
                    return used, refused
                continue
            ledger.begin(row, reserved=True)
            tokens = dice.randint(worst // 4, worst)
            ledger.settle(row.id, status=Status.OK, usage=Usage(input_tokens=1, output_tokens=tokens - 1))
            used += tokens

    with ThreadPoolExecutor(callers) as pool:
        found = list(pool.map(caller, range(callers)))
    return sum(used for used, _ in found), sum(refused for _, refused in found)


def main(place: str, callers: int, worst: int, seed: int) -> None:
    with Ledger(place, warn=lambda text: print(text, file=sys.stderr)) as ledger:
        print(*spend(ledger, callers=callers, worst=worst, seed=seed))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
