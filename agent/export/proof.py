"""Proving an exported file: against its manifest, its signature, and the record it came from."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from agent.audit import Author
from agent.context.error import ContextError
from agent.export.error import ExportError
from agent.export.rereading import rows_of
from agent.export.seal import first_difference, is_unbroken
from agent.export.signature import fits, public_key, public_of, signature_of
from agent.export.survey import survey
from agent.export.table import table
from agent.export.tally import Tally
from agent.export.writing import EXPORTED, Order, beside_of, write_rows
from agent.history import Filter, History, open_history
from agent.rows import from_ns
from agent.schema import audit
from agent.verifying import verify

SIGNED = "signed"
KEY_MADE = "make"


UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, AttributeError)
"""What rows of the log that somebody has changed by hand may raise in who reads them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found about an exported file."""

    file: str
    proved: list[str] = field(default_factory=list)
    """Sentences of what is as it was."""
    notes: list[str] = field(default_factory=list)
    """What a person should know, and is no difference."""
    differences: list[str] = field(default_factory=list)
    """What is not as it was; the first of each kind."""


def verify_file(path: Path, url: str | None, key: Path | None = None) -> Proof:
    """Compare an exported file, or its manifest, with all that can prove it.

    Args:
        path: The file, or the manifest beside it.
        url: Of the record; None where there is none here.
        key: A public key that must have signed the manifest; None for those that the record knows.

    Raises:
        ExportError: one of the two is not there.
        RecordError: the record can't be read.
    """
    manifest_path = path if path.name.endswith(".manifest.json") else beside_of(path)
    data_path = manifest_path.with_name(manifest_path.name.removesuffix(".manifest.json"))
    for each in (manifest_path, data_path):
        if not each.is_file():
            raise ExportError(f"{each}: is not there; a file and its manifest belong together")
    proof = Proof(file=data_path.name)
    data = manifest_path.read_bytes()
    body = _body(data)
    if body is None or not is_unbroken(data):
        proof.differences.append(f"{manifest_path.name}: is not as it was written")
    differs = body is not None and _compare_file(proof, data_path, body)
    if key is not None and not signature_of(manifest_path).is_file():
        proof.differences.append(f"{manifest_path.name}: has no signature beside it")
    keys = [public_key(key)] if key is not None else []
    if url is not None:
        verdict = verify(url, includes=_newest_then(body))
        is_sound = all(each.table == "curve" for each in verdict.differences)
        with open_history(url) as opened, opened.held() as history:
            with history.connect() as connection:
                try:
                    _compare_log(proof, connection, manifest_path.name, data)
                    keys = keys or _keys(connection)
                except UNREADABLE:
                    if is_sound:
                        raise
            if not is_sound:
                proof.notes.append("the file was not compared with rows that somebody has changed")
            elif body is not None:
                _compare_rows(proof, history, url, body, data_path, named=not differs)
        proof.differences.extend(f"record: {each.words}" for each in verdict.differences)
        if not verdict.differences:
            proof.proved.append(f"all {verdict.rows} rows of the record are as they were written")
    _compare_signature(proof, signature_of(manifest_path), data, keys)
    return proof


def _body(data: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(data)
        return body if isinstance(body["files"][0]["sha256"], str) else None
    except (ValueError, KeyError, TypeError, IndexError):
        return None


def _newest_then(body: dict[str, Any] | None) -> str | None:
    """Hash of the commit that was the newest when it was exported."""
    chain = body.get("chain") if body is not None else None
    found = chain.get("hash") if isinstance(chain, dict) else None
    return found if isinstance(found, str) else None


def _compare_file(proof: Proof, path: Path, body: dict[str, Any]) -> bool:
    """Whether the first row that differs is still to be named."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest == body["files"][0]["sha256"]:
        proof.proved.append(f"{path.name}: is the file of its manifest")
        return False
    words = f"{path.name}: is not as it was written"
    try:
        where = first_difference(path, body["lines"]) if "lines" in body else ""
    except (ValueError, TypeError):
        where = ""
    proof.differences.append(f"{words}: {where}" if where else words)
    return not where


def _compare_log(proof: Proof, connection: Connection, name: str, data: bytes) -> None:
    """Whether the record knows of the manifest, and who signed it off."""
    digest = hashlib.sha256(data).hexdigest()
    query = select(audit).where(audit.c.kind == "export").order_by(audit.c.id)
    other: int | None = None
    for row in connection.execute(query):
        said = json.loads(row.new or "{}")
        manifest = said.get("manifest", {})
        if row.action == EXPORTED and manifest.get("name") == name:
            other = row.id
            if manifest.get("sha256") == digest:
                proof.proved.append(
                    f"{name}: is what {row.who} exported on {from_ns(row.at_ns):%Y-%m-%d %H:%M} UTC"
                    f" (row {row.id} of the record's audit log)"
                )
                break
    else:
        if other is None:
            proof.differences.append(f"{name}: the record knows of no such export")
        else:
            proof.differences.append(
                f"{name}: is not as it was written: row {other} of the record's audit log has "
                "another hash of it"
            )
    proof.notes.extend(signatures(connection, digest))


def signatures(connection: Connection, digest: str) -> Iterator[str]:
    """Who signed a manifest off, by its SHA-256, in sentences; what was corrected says so."""
    query = (
        select(audit).where(audit.c.kind == "export", audit.c.action == SIGNED).order_by(audit.c.id)
    )
    found = [(row, json.loads(row.new)) for row in connection.execute(query)]
    mine = [(row, said) for row, said in found if said["manifest"]["sha256"] == digest]
    corrected = {said["corrects"]: row.id for row, said in mine if said.get("corrects")}
    for row, said in mine:
        words = f"signed by {row.who}, {from_ns(row.at_ns):%Y-%m-%d %H:%M} UTC: {said['meaning']}"
        later = f" (corrected by {corrected[row.id]})" if row.id in corrected else ""
        yield f"{words} (row {row.id}){later}"


def _compare_rows(
    proof: Proof, history: History, url: str, body: dict[str, Any], path: Path, *, named: bool
) -> None:
    """Whether the record would write the same rows today."""
    if body.get("query", {}).get("audit"):
        return  # rows of the log itself, which are in the chain
    try:
        wanted = filter_of(body["query"])
        now = datetime.fromisoformat(body["at"]).astimezone(UTC)
        kept = body["header"]["SHA-256 of its rows"]
    except (ValueError, KeyError, TypeError):
        proof.differences.append("the manifest does not say what was asked for")
        return
    try:
        found = survey(history, wanted, now)
    except ContextError as error:
        proof.notes.append(f"the record was corrected since: {error}")
        return
    counted = Tally(found.signals)
    for _ in table(history, found).pages(tally=counted):
        pass
    if counted.sha256 != kept:
        proof.notes.append(
            f"the record has other rows than the {body['rows']} of the file for what was asked for "
            f"({counted.rows} today): it was added to or corrected since"
        )
        return
    proof.proved.append(f"the record has the same {counted.rows} rows today")
    if not named:
        _name_row(proof, history, url, body, path)


def _name_row(proof: Proof, history: History, url: str, body: dict[str, Any], path: Path) -> None:
    """Write the file once more, and say which row differs first."""
    with TemporaryDirectory(prefix="sprue-verify-") as folder:
        again = Path(folder) / path.name
        now = datetime.fromisoformat(body["at"]).astimezone(UTC)
        order = Order(
            form=body["format"],
            folder=Path(folder),
            zone=ZoneInfo(body["timezone"]),
            author=Author(who=body["by"], at=now),
            curves=any(each["name"].startswith("curve_") for each in body["columns"]),
            site=_site(body),
        )
        whole = table(history, survey(history, filter_of(body["query"]), now))
        write_rows(whole, url, again, order)
        with closing(rows_of(again, order.form)) as ours, closing(rows_of(path, order.form)) as its:
            where = _first(ours, its)
    if where:
        proof.differences.append(f"{path.name}: {where}")


def _first(ours: Iterator[tuple[str, Any]], its: Iterator[tuple[str, Any]]) -> str:
    try:
        for (name, expected), (_, found) in zip(ours, its, strict=True):
            if expected != found:
                return f"{name} is the first that is not as it was written"
    except ValueError as error:
        if "zip()" in str(error):
            return "rows were removed or added at its end"
        return f"can't be read any more: {error}"
    return "its rows are as they were written; what lies around them is not"


def _site(body: dict[str, Any]) -> str:
    site = str(body["header"].get("Site", ""))
    return "" if site == "not known" else site


def _keys(connection: Connection) -> list[Any]:
    query = select(audit.c.new).where(audit.c.kind == "key", audit.c.action == KEY_MADE)
    return [public_of(json.loads(new)["public"]) for new in connection.execute(query).scalars()]


def _compare_signature(proof: Proof, path: Path, data: bytes, keys: list[Any]) -> None:
    if not path.is_file():
        return
    signature = path.read_bytes()
    if not keys:
        proof.notes.append(f"{path.name}: 'sprue verify --key' takes the public key to check it by")
    elif any(fits(key, signature, data) for key in keys):
        proof.proved.append(f"{path.name}: is the signature of the key over this manifest")
    else:
        proof.differences.append(f"{path.name}: is no signature of the key over this manifest")


def filter_of(asked: dict[str, Any]) -> Filter:
    """The filter behind a manifest's `query`.

    Raises:
        ValueError, TypeError: it is none.
    """
    values = dict(asked)
    shots = values.pop("shots", None)
    for name in ("since", "until"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    return Filter(**values, counters=(shots[0], shots[1]) if shots else None)
