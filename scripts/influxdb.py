"""Prints docs/reference/influxdb.md from the measurements; a test compares the two.

python scripts/influxdb.py > docs/reference/influxdb.md
"""

from agent.forward.measurements import ABSENT, MEASUREMENTS, Measurement

HEAD = f"""# What InfluxDB and VictoriaMetrics get

Every measurement, printed from `agent/forward/measurements.py` by `python scripts/influxdb.py`.
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

QUERIES = """## Examples

Shots of every mold revision so far, in InfluxQL (InfluxDB 1.8, 2 and 3):

```sql
SELECT sum("shots") FROM "sprue_ledger" GROUP BY "mold", "revision"
SELECT sum("shots") FROM "sprue_adjustment" GROUP BY "mold", "revision"
```

Cooling time of one mold, in Flux (InfluxDB 2):

```
from(bucket: "molding")
  |> range(start: -8h)
  |> filter(fn: (r) => r._measurement == "sprue_cycle" and r._field == "cooling_time_s")
  |> filter(fn: (r) => r.mold == "A-17")
```

The same in SQL (InfluxDB 3):

```sql
SELECT time, counter, cooling_time_s FROM sprue_cycle
WHERE mold = 'A-17' AND time > now() - INTERVAL '8 hours' ORDER BY time
```

The same in PromQL (VictoriaMetrics), and shots an hour of every machine:

```
sprue_cycle_cooling_time_s{mold="A-17"}
sum by (machine) (count_over_time(sprue_cycle_counter{closing="shot"}[1h]))
```

Hours without sight in a week, by machine, in InfluxQL:

```sql
SELECT sum("duration_s") / 3600 FROM "sprue_blind" WHERE time > now() - 7d GROUP BY "machine"
```
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *map(_section, MEASUREMENTS), QUERIES])


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
