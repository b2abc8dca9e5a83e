"""A process that makes films, to be killed: python maker.py BASE_URL KEY JOBS."""

import os
import sys

from anyfast_nb.client.faces import Client
from anyfast_nb.jobs.poll import Pace


def main(base_url: str, key: str, jobs: int) -> None:
    os.environ["ANYFAST_POLLS_PER_S"] = "1000"
    with Client(api_key=key, base_url=base_url) as client:
        client.pace = Pace(first_s=0.001, most_s=0.002)
        for number in range(jobs):
            client.seedance(f"film {number}").wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
