"""`sprue verify`: is everything in the record as it was written?"""

import argparse
import sys
from dataclasses import asdict

from agent.arguments import add_format, add_record, record_of
from agent.console import print_json
from agent.progress import progress_bar
from agent.verifying import verify

DONE, DIFFERS = 0, 1


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue verify`."""
    one.add_argument(
        "--includes", metavar="HASH", help="of a commit that was the newest once: is it in there?"
    )
    add_record(one)
    add_format(one)
    one.set_defaults(command=_verify)


def _verify(args: argparse.Namespace) -> int:
    url, _zone = record_of(args)
    with progress_bar("Verifying", None) as progress:
        verdict = verify(url, progress, includes=args.includes)
    if args.format == "json":
        print_json([asdict(verdict)])
    else:
        for each in verdict.differences:
            print(each.words, file=sys.stderr)
        if not verdict.differences:
            print(f"{verdict.rows} rows in {verdict.commits} commits are as they were written")
            print(f"newest commit: {verdict.head}")
            if args.includes:
                print(f"it comes after {args.includes.strip().lower()}")
    return DIFFERS if verdict.differences else DONE
