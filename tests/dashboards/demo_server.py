"""The story's plant in a process of its own, to be frozen, killed and started again.

python -m tests.dashboards.demo_server PRESSES PORT
"""

import asyncio
import sys

from dashboards.server import serve
from tests.dashboards.story import story


def say(address: str) -> None:
    """Tell whoever started this where the pages are."""
    print(address, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(story(int(sys.argv[1])), "127.0.0.1", int(sys.argv[2]), say))
