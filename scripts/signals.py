"""Prints docs/reference/signals.md from the vocabulary; a test compares the two.

python scripts/signals.py > docs/reference/signals.md
"""

from drivers.signals import INFINITY, SIGNALS, Kind

HEAD = """# Signals

Every canonical signal, printed from `drivers/signals.py` by `python scripts/signals.py`. All
numbers inside Sprue, in its files and on its pages are in the unit that ends the name; drivers
convert. A value outside the plausible range is kept and flagged. A maker's extra value is carried
under its own name.
"""

KINDS = {
    Kind.CYCLE: "Once a cycle",
    Kind.LEVEL: "Levels: a cycle takes them as they stand at its end",
    Kind.CURVE: "Curves: sampled during the shot",
    Kind.COUNTER: "Counters",
    Kind.STATE: "States",
}


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for kind, title in KINDS.items():
        parts.append(f"## {title}\n\n| name | unit | what | plausible |\n|---|---|---|---|")
        for signal in SIGNALS.values():
            if signal.kind is kind:
                span = "" if signal.high == INFINITY else f"{signal.low:g} to {signal.high:g}"
                parts.append(f"| `{signal.name}` | {signal.unit} | {signal.text} | {span} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")
