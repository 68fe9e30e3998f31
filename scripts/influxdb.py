"""Prints docs/reference/influxdb.md from the measurements; a test compares the two.

python -m scripts.influxdb > docs/reference/influxdb.md
"""

from agent.forward.measurements import ABSENT, MEASUREMENTS, Measurement
from scripts.examples import section

HEAD = f"""# What InfluxDB and VictoriaMetrics get

Every measurement, printed from `agent/forward/measurements.py` by `python -m scripts.influxdb`.
[How to forward](../how-to/forward-to-influxdb.md) says how to switch it on.

- A point has all of its tags, always; where nothing is known a tag says `{ABSENT}`. `tags` of the
  configuration come on top, on every point. Tags are what is bounded: machines, molds and their
  revisions, kinds. A shot's number, its job and its texts are fields.
- A field has one type for good, whatever a machine sends. What is not known is left out, and so is
  what is no number where a number belongs.
- Units are the ends of the names. Times are UTC in nanoseconds, and made of what the point is
  about: the same row again is the same point. Retention is yours to choose: the record keeps its
  own.
- In tags `\\` becomes `/`, and control characters become blanks: servers read them differently.
- VictoriaMetrics stores numbers: a field is the metric `MEASUREMENT_FIELD`, yes and no are 1 and 0,
  words (below) become labels, texts are left out. It keeps milliseconds.
- In InfluxDB a row that grows or ends is written over in place; in VictoriaMetrics, which can't,
  each state is a sample of its own.
"""

TYPES = {
    "float": "float",
    "integer": "integer",
    "boolean": "yes or no",
    "text": "text",
    "word": "word",
}


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(_section, MEASUREMENTS), section()])


def _section(measurement: Measurement) -> str:
    lines = [
        f"## `{measurement.name}`",
        "",
        f"{measurement.text} Its time: {measurement.time}.",
        "",
        "| tag | what |",
        "|---|---|",
        *(f"| `{name}` | {text} |" for name, text in measurement.tags.items()),
        "",
        "| field | type | what |",
        "|---|---|---|",
    ]
    for field in measurement.fields:
        words = f": {', '.join(f'`{word}`' for word in field.words)}" if field.words else ""
        lines.append(f"| `{field.name}` | {TYPES[field.type]} | {field.text}{words} |")
    if measurement.open_fields:
        lines += ["", f"And {measurement.open_fields}."]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(page(), end="")
