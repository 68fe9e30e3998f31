"""`sprue audit`: who changed, exported, signed or approved what, as a list or a sealed file."""

import argparse
import csv
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from sqlalchemy import Connection, select

from agent.arguments import add_author, add_record, author_of, instant, record_of
from agent.audit import change, note
from agent.console import print_json, print_table
from agent.ending import DONE
from agent.export.csvfile import safe
from agent.export.error import ExportError
from agent.export.manifest import Written, software
from agent.export.seal import digests_of, sealed
from agent.export.writing import EXPORTED, beside_of, part_of, previous_export, to_disk
from agent.history import open_history
from agent.rows import from_ns, to_ns
from agent.schema import audit

COLUMNS = ("id", "time", "who", "origin", "action", "kind", "subject", "old", "new")
NAME = "sprue-audit.csv"


def add(one: argparse.ArgumentParser) -> None:
    """What follows `sprue audit`."""
    one.add_argument("--kind", metavar="KIND", help="of what was changed: mold, export, user, ...")
    one.add_argument("--subject", metavar="NAME", help="its name")
    one.add_argument("--by", metavar="NAME", help="who did it")
    one.add_argument("--since", type=instant, metavar="TIME", help="ISO 8601 with an offset")
    one.add_argument("--until", type=instant, metavar="TIME")
    one.add_argument("--format", choices=["table", "json", "csv"], default="table")
    one.add_argument("--out", type=Path, metavar="DIR", help="a CSV file with its manifest")
    add_author(one)
    add_record(one)
    one.set_defaults(command=_audit)


def _audit(args: argparse.Namespace) -> int:
    url, zone = record_of(args)
    with open_history(url) as history, history.connect() as connection:
        rows = _rows(connection, args)
        if args.out is not None:
            print(_file(args, url, rows))
        elif args.format == "json":
            print_json(
                {name: value for name, value in row.items() if value is not None} for row in rows
            )
        elif args.format == "csv":
            _write(sys.stdout, rows)
        else:
            lines = [
                (
                    row["id"], f"{row['time'].astimezone(zone):%Y-%m-%d %H:%M:%S}", row["who"],
                    row["origin"], row["action"], row["kind"], row["subject"], _text(row["new"]),
                )
                for row in rows
            ]  # fmt: skip
            heads = ["no", "time", "who", "from", "did", "kind", "subject", "what"]
            print_table(heads, lines, right=["no"])
    return DONE


def _rows(connection: Connection, args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """One after the other, so that no log is too long."""
    query = select(audit).order_by(audit.c.id)
    for column, value in (
        (audit.c.kind, args.kind), (audit.c.subject, args.subject), (audit.c.who, args.by),
    ):  # fmt: skip
        if value is not None:
            query = query.where(column == value)
    if args.since is not None:
        query = query.where(audit.c.at_ns >= to_ns(args.since))
    if args.until is not None:
        query = query.where(audit.c.at_ns < to_ns(args.until))
    for row in connection.execute(query):
        yield {
            "id": row.id, "time": from_ns(row.at_ns), "who": row.who, "origin": row.origin,
            "action": row.action, "kind": row.kind, "subject": row.subject,
            "old": json.loads(row.old) if row.old else None,
            "new": json.loads(row.new) if row.new else None,
        }  # fmt: skip


def _write(file: TextIO, rows: Iterator[dict[str, Any]]) -> int:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    n = 0
    for row in rows:
        n += 1
        time = row["time"].isoformat(timespec="microseconds")
        words = [safe(row[name]) for name in ("who", "origin", "action", "kind", "subject")]
        writer.writerow([row["id"], time, *words, safe(_text(row["old"])), safe(_text(row["new"]))])
    return n


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _file(args: argparse.Namespace, url: str, rows: Iterator[dict[str, Any]]) -> Path:
    """A file with its manifest, as an export of cycles has one; it is noted in the log, too."""
    path: Path = args.out / NAME
    author = author_of(args)
    asked = {
        "audit": True, "kind": args.kind, "subject": args.subject, "by": args.by,
        "since": args.since and args.since.isoformat(),
        "until": args.until and args.until.isoformat(),
    }  # fmt: skip
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        with part_of(path) as part, part_of(beside_of(path)) as beside:
            with part.open("w", encoding="utf-8", newline="") as file:
                n = _write(file, rows)
                file.flush()
                os.fsync(file.fileno())
            with change(url) as connection:
                written = Written.of(part, path.name)
                body = {
                    "manifest": 2, "format": "csv",
                    "files": [{"name": NAME, "bytes": written.bytes, "sha256": written.sha256}],
                    "rows": n, "query": {k: v for k, v in asked.items() if v is not None},
                    "software": software(), "by": author.who, "at": author.at.isoformat(),
                    "previous": previous_export(connection), "lines": digests_of(part),
                }  # fmt: skip
                text = sealed(json.dumps(body, indent=1, ensure_ascii=False) + "\n")
                beside.write_text(text, encoding="utf-8")
                to_disk(beside)
                digest = hashlib.sha256(text.encode()).hexdigest()
                said = {"rows": n, "manifest": {"name": beside_of(path).name, "sha256": digest}}
                note(connection, author, EXPORTED, "export", NAME, new=said)
                part.replace(path)
                beside.replace(beside_of(path))
    except OSError as error:
        raise ExportError(f"{path}: can't be written: {error.strerror or error}") from error
    return path
