"""A process that makes films, to be killed: python maker.py BASE_URL KEY JOBS."""

import asyncio
import sys

from anyfast_nb.client.faces import Client
from anyfast_nb.jobs.poll import Pace


async def at_once(seconds: float) -> None:
    await asyncio.sleep(0)


def main(base_url: str, key: str, jobs: int) -> None:
    with Client(api_key=key, base_url=base_url) as client:
        client.pace = Pace(sleep=at_once)
        for number in range(jobs):
            client.seedance(f"film {number}").wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
