"""`sprue verify`: is everything in the record, or an exported file, as it was written?"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from agent.arguments import add_format, add_record, record_of
from agent.console import print_json
from agent.progress import progress_bar
from agent.verifying import verify

DONE, DIFFERS = 0, 1


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue verify`."""
    one.add_argument(
        "file", nargs="?", type=Path, metavar="FILE",
        help="an exported file, or its manifest; without one, the record",
    )  # fmt: skip
    one.add_argument(
        "--includes", metavar="HASH", help="of a commit that was the newest once: is it in there?"
    )
    one.add_argument(
        "--key", type=Path, metavar="FILE", help="public key that must have signed the manifest"
    )
    add_record(one)
    add_format(one)
    one.set_defaults(command=_verify)


def _verify(args: argparse.Namespace) -> int:
    if args.file is not None:
        return _verify_file(args)
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


def _verify_file(args: argparse.Namespace) -> int:
    from agent.export.proof import verify_file

    url = record_of(args)[0] if args.record or args.config.is_file() else None
    with progress_bar("Verifying", None):
        proof = verify_file(args.file, url, args.key)
    if url is None:
        proof.notes.append(
            "no record is here: --record URL or --config FILE also prove it against that"
        )
    if args.format == "json":
        print_json([asdict(proof)])
    else:
        for words in proof.differences:
            print(words, file=sys.stderr)
        for words in (*proof.proved, *proof.notes):
            print(words)
    return DIFFERS if proof.differences else DONE
