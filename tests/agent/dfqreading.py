"""A strict reader of Q-DAS ASCII files, made from the format's description before the writer was.

It refuses whatever the description does not name, so that what we write is not read by luck.

Source: Q-DAS ASCII transfer format V12; supported K-fields by the makers of measuring programs.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

CHARACTERISTIC, PART_OF_VALUE = "\x0f", "\x14"
VALID, INVALID, PLACEHOLDER, DELETED = 0, 129, 255, 256

OF_FILE = {"K0100"}
OF_PART = {"K1001", "K1002", "K1004", "K1031", "K1032", "K1081", "K1082", "K1085", "K1110",
           "K1053", "K1104"}  # fmt: skip
OF_CHARACTERISTIC = {"K2001", "K2002", "K2004", "K2022", "K2101", "K2110", "K2111", "K2142"}
OF_VALUE = {"K0005", "K0006", "K0007", "K0008", "K0009", "K0010", "K0011", "K0012", "K0013",
            "K0014", "K0015", "K0016", "K0053"}  # fmt: skip
NEEDED = {"K2001", "K2002", "K2004", "K2022"}
CODED = re.compile(r"(K\d{4})(?:/(\d+))? (.+)")
NUMBER = re.compile(r"-?\d+(?:\.(\d+))?")


@dataclass
class Value:
    number: float
    attribute: int
    at: datetime


@dataclass
class Shot:
    """A line of values, one a characteristic, and what follows about all of them."""

    values: list[Value]
    about: dict[str, str] = field(default_factory=dict)


@dataclass
class Dfq:
    part: dict[str, str]
    characteristics: list[dict[str, str]]
    shots: list[Shot]


def read_dfq(path: Path) -> Dfq:
    """The file; an `AssertionError` says at which line it is none."""
    data = path.read_bytes()
    encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "cp1252"
    text = data.decode(encoding)
    assert text.endswith("\r\n"), "the last line has no end"
    part: dict[str, str] = {}
    found: dict[int, dict[str, str]] = {}
    shots: list[Shot] = []
    count = 0
    for n, line in enumerate(text[:-2].split("\r\n"), 1):
        where = f"line {n}: {line!r}"
        assert line, f"{where} is empty"
        allowed = {CHARACTERISTIC, PART_OF_VALUE}
        assert all(c.isprintable() or c in allowed for c in line), f"{where} has a control"
        if not line.startswith("K"):
            assert len(found) == count > 0, f"{where}: values before all is described"
            shots.append(Shot(values=_values(line, found, where)))
            continue
        coded = CODED.fullmatch(line)
        assert coded, f"{where} is no K-field"
        key, index, value = coded[1], coded[2], coded[3]
        assert CHARACTERISTIC not in value, where
        assert PART_OF_VALUE not in value, where
        if n == 1:
            assert key == "K0100", f"{where}: begins with no K0100"
        if key in OF_FILE:
            assert n == 1, where
            assert index is None, where
            count = int(value)
        elif key in OF_PART:
            assert not shots, f"{where}: a part after values"
            assert index in (None, "1"), where
            assert key not in part, f"{where}: twice"
            part[key] = value
        elif key in OF_CHARACTERISTIC:
            assert not shots, f"{where}: a characteristic after values"
            assert index is not None, f"{where}: of which characteristic?"
            assert 1 <= int(index) <= count, where
            one = found.setdefault(int(index), {})
            assert key not in one, f"{where}: twice"
            one[key] = value
        else:
            assert key in OF_VALUE, f"{where}: no such field"
            assert shots, f"{where}: about which value?"
            assert index == "0", f"{where}: of all characteristics is /0"
            assert key not in shots[-1].about, f"{where}: twice"
            shots[-1].about[key] = value
            if key == "K0015":
                assert value.isdigit(), where
    assert "K1001" in part, "no part number"
    assert sorted(found) == list(range(1, count + 1)), "characteristics are missing"
    for number, one in found.items():
        assert one.keys() >= NEEDED, f"characteristic {number} lacks {NEEDED - one.keys()}"
        assert one["K2004"] == "0", "none of ours is attributive"
        limits = [float(one[key]) for key in ("K2110", "K2111") if key in one]
        assert limits == sorted(limits), f"characteristic {number}: limits upside down"
    return Dfq(part=part, characteristics=[found[n] for n in sorted(found)], shots=shots)


def _values(line: str, found: dict[int, dict[str, str]], where: str) -> list[Value]:
    cells = line.split(CHARACTERISTIC)
    assert len(cells) == len(found), f"{where}: {len(cells)} values of {len(found)}"
    values = []
    for n, cell in enumerate(cells, 1):
        parts = cell.split(PART_OF_VALUE)
        assert len(parts) == 3, f"{where}: value, attribute and time"
        number = NUMBER.fullmatch(parts[0])
        assert number, f"{where}: {parts[0]!r} is no number"
        assert len(number[1] or "") <= int(found[n]["K2022"]), f"{where}: too many decimals"
        attribute = int(parts[1])
        assert attribute in (VALID, INVALID, PLACEHOLDER, DELETED), where
        at = datetime.strptime(parts[2], "%d.%m.%Y/%H:%M:%S")  # noqa: DTZ007 - no zone in it
        values.append(Value(float(parts[0]), attribute, at))
    return values
