"""Prints docs/reference/faults.md from the menu; a test compares the two.

python scripts/faults.py > docs/reference/faults.md
"""

from collections.abc import Mapping

from simulators.actions import ACTIONS
from simulators.menu import MENU, UNBOUNDED, Kind, Parameter

HEAD = """# The fault menu

Everything that a simulated machine can be told to do wrong, printed from `simulators/menu.py` by
`python scripts/faults.py`. Every fault by its name is shown by a test in `tests/faults/`, with a
client that does not look out for it.

Three ways to switch one on:

```toml
[[event]]                        # in a fleet file, by process time
at_s = 600
press = ["IMM-03", "IMM-04"]     # or one name, or "*"
fault = "coolant_supply_warm"
with = { by_k = 4 }
for_s = 1800                     # process seconds; without, it stays
```

```sh
sprue fault IMM-03 coolant_supply_warm by_k=4 --for 1800   # at a simulator that runs
sprue fault IMM-03 coolant_supply_warm --off
```

In the terminal in which `sprue simulate` runs, the same can be typed:
`IMM-03 coolant_supply_warm by_k=4 for=1800`, `IMM-03 off coolant_supply_warm`, and `list` for what
is on. In a test: `await plant.inject("IMM-03", "coolant_supply_warm", by_k=4)`.

The truth log names the faults that touched a closing in its `injected`.
"""

KINDS: Mapping[Kind, str] = {
    "link": "The link",
    "modbus": "Modbus",
    "opcua": "OPC UA: sessions and address space",
    "values": "Values",
    "events": "Cycle events",
    "security": "Security (presses with `security` only)",
    "clock": "The control's clock",
    "counter": "Counters and power",
    "mold": "Mold ids",
    "process": "The process",
}

TAIL = """## What people do

In a fleet file with `do = "NAME"` in place of `fault`, and typed like a fault. These are no faults:
the truth log does not name them.

| name | what happens | parameters |
|---|---|---|"""


def _range(parameter: Parameter) -> str:
    """What it may be, where it is bounded by more than good sense."""
    if parameter.most >= UNBOUNDED:
        return ""
    return f" ({parameter.least:g} to {parameter.most:g})"


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for kind, title in KINDS.items():
        head = "| name | what the machine does | what a naive client sees | on | parameters |"
        parts.append(f"## {title}\n\n{head}\n|---|---|---|---|---|")
        for fault in MENU.values():
            if fault.kind == kind:
                on = "all" if len(fault.faces) == 3 else ", ".join(sorted(fault.faces))
                given = "; ".join(
                    f"`{key}` = {parameter.default:g}{_range(parameter)}: {parameter.text}"
                    for key, parameter in fault.parameters.items()
                )
                what = f"{fault.what} Happens once." if fault.once else fault.what
                parts.append(f"| `{fault.name}` | {what} | {fault.naive} | {on} | {given} |")
        parts.append("")
    parts.append(TAIL)
    for name, action in ACTIONS.items():
        may = [f"{key} (optional)" for key in action.takes]
        parts.append(f"| `{name}` | {action.what} | {', '.join([*action.needs, *may])} |")
    parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    print(page(), end="")
