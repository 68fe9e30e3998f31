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

BY_RULE = """## By rule

Machines have more of a kind than anybody can list. These names are signals like those above, with
unit and range; the record keeps them beside the makers' own values. The first of its kind has no
number: its values are the signals above.

| name | what |
|---|---|"""
RULES = {
    "`injection_unit_2_...`": "the signal after the number, of a further injection unit: "
    "`injection_unit_2_fill_time_s`",
    "`mold_2_...`": "of a further mold that is on: `mold_2_mold_temp_c`",
    "`circuit_2_...`": "of a further cooling circuit, with a temperature control device of its "
    "own: `circuit_2_coolant_in_c`; of the first too, where the press shows that signal itself",
    "`barrel_zone_13_c`, ...": "zones beyond those above",
    "`mold_zone_2_c`, `mold_zone_2_set_c`": "temperature zones of a mold beyond its first, which "
    "is `mold_temp_c`",
    "`coolant_pressure_difference_bar`": "between main and return line",
}

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
    parts += [BY_RULE, *(f"| {name} | {what} |" for name, what in RULES.items()), ""]
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")
