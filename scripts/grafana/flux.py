"""Questions in Flux, as InfluxDB 2 answers them: words and texts are fields."""

from collections.abc import Sequence

from scripts.grafana.questions import (
    ROWS_MOST,
    Age,
    Asked,
    Course,
    Latest,
    Life,
    Listing,
    Question,
    Tally,
    Target,
    is_over_time,
)

NAME = "influxdb-flux"
TITLE = "InfluxDB, Flux"
SOURCE = {"type": "influxdb", "uid": "sprue-influxdb-flux"}
ALL_VALUE: str | None = ".*"

FROM = "from(bucket: v.defaultBucket)"
RANGE = "range(start: v.timeRangeStart, stop: v.timeRangeStop)"
STEP = "v.windowPeriod"
COUNTED = {"count": "count", "sum": "sum", "true": "count"}


def targets(asked: Asked) -> Sequence[Target]:
    """The query of a question."""
    match asked:
        case Course():
            steps = [
                *_of(asked, asked.fields),
                f"group(columns: [{_quoted([*asked.by, '_field'])}])",
                'sort(columns: ["_time"])',
                f"aggregateWindow(every: {STEP}, fn: last, createEmpty: false)",
                f"keep(columns: [{_quoted(['_time', *asked.by, '_field', '_value'])}])",
            ]
        case Latest():
            steps = [
                *_of(asked, asked.fields),
                f"group(columns: [{_quoted(asked.by)}])",
                'sort(columns: ["_time"])',
                "last()",
                *_as_table(asked),
            ]
        case Age():
            at = "float(v: uint(v: now()) - uint(v: r._time)) / 1000000000.0"
            steps = [
                *_of(asked, asked.fields),
                "last()",
                f"group(columns: [{_quoted(asked.by)}])",
                'sort(columns: ["_time"])',
                "last()",
                f"map(fn: (r) => ({{r with _value: {at}}}))",
                *_as_table(asked),
            ]
        case Tally():
            steps = _tally(asked)
        case Life():
            names = " or ".join(f"r._measurement == {_text(m.name)}" for m in asked.measurements)
            steps = [
                "range(start: 0)",
                f'filter(fn: (r) => ({names}) and r._field == "shots")',
                *map(_chosen, asked.chosen),
                'group(columns: ["mold", "revision"])',
                "sum()",
                "group()",
                'keep(columns: ["mold", "revision", "_value"])',
            ]
        case Listing():
            steps = _listing(asked)
    return [Target(text="\n  |> ".join([FROM, *steps]), over_time=is_over_time(asked))]


def _tally(asked: Tally) -> list[str]:
    (counted,) = asked.fields
    words = [word for word in asked.words if word in (*asked.by, *asked.fixed)]
    if asked.how == "count" and words and not set(words) & set(asked.by):
        # A point has the word as it has the number: no need to bring the two together.
        steps = _of(asked, words)
        counted = words[0]
        steps += [f"filter(fn: (r) => r._value == {_text(asked.fixed[word])})" for word in words]
    elif words:
        steps = [
            *_of(asked, [counted, *words]),
            'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
            *(f"filter(fn: (r) => r.{name} == {_text(v)})" for name, v in asked.fixed.items()),
            f'rename(columns: {{{counted}: "_value"}})',
        ]
    else:
        steps = _of(asked, [counted])
    if asked.how == "true":
        steps.append("filter(fn: (r) => r._value == true)")
    elif asked.how == "sum":
        steps.append("filter(fn: (r) => exists r._value)")
    steps += [f"group(columns: [{_quoted(asked.by)}])"]
    count = COUNTED[asked.how]
    if asked.per == "range":
        return [*steps, f"{count}()", *_as_table(asked)]
    every = STEP if asked.per == "step" else "1h"
    return [
        *steps,
        'sort(columns: ["_time"])',
        f"aggregateWindow(every: {every}, fn: {count}, createEmpty: false)",
        f"keep(columns: [{_quoted(['_time', *asked.by, '_value'])}])",
    ]


def _listing(asked: Listing) -> list[str]:
    fields = [column for column in asked.columns if column not in asked.measurement.tags]
    wanted = [*fields, *([asked.true] if asked.true else [])]
    return [
        RANGE,
        f"filter(fn: (r) => r._measurement == {_text(asked.measurement.name)})",
        f"filter(fn: (r) => {_any(wanted)})",
        *map(_chosen, asked.chosen),
        'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
        *([f"filter(fn: (r) => r.{asked.true} == true)"] if asked.true else []),
        "group()",
        'sort(columns: ["_time"], desc: true)',
        f"limit(n: {ROWS_MOST})",
        f"keep(columns: [{_quoted(['_time', *asked.columns])}])",
    ]


def _of(asked: Question, fields: Sequence[str]) -> list[str]:
    return [
        RANGE,
        f"filter(fn: (r) => r._measurement == {_text(asked.measurement.name)})",
        f"filter(fn: (r) => {_any(fields)})",
        *map(_chosen, asked.chosen),
    ]


def _as_table(asked: Question) -> list[str]:
    return ["group()", f"keep(columns: [{_quoted([*asked.by, '_value'])}])"]


def _any(fields: Sequence[str]) -> str:
    return " or ".join(f"r._field == {_text(each)}" for each in fields)


def _chosen(label: str) -> str:
    return f"filter(fn: (r) => r.{label} =~ /^${{{label}:regex}}$/)"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(map(_text, names))


def _text(text: str) -> str:
    return f'"{text}"'


def variable(label: str, measurement: str, _field: str) -> dict[str, object]:
    """What a person chooses from."""
    question = (
        'import "influxdata/influxdb/schema"\n'
        f'schema.tagValues(bucket: v.defaultBucket, tag: "{label}", '
        f'predicate: (r) => r._measurement == "{measurement}", start: -90d)'
    )
    return {"query": question, "definition": question}


def as_read(target: Target) -> dict[str, object]:
    """What Grafana is told of a query."""
    return {"query": target.text}
