"""Questions in SQL, as InfluxDB 3 answers them: a measurement is a table, tags are columns."""

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

NAME = "influxdb-sql"
TITLE = "InfluxDB, SQL"
SOURCE = {"type": "influxdb", "uid": "sprue-influxdb-sql"}
ALL_VALUE: str | None = None
"""None: all values by name, as `IN` wants them."""

STEP = "$__dateBin(time)"
HOUR = "date_bin(INTERVAL '1 hour', time, TIMESTAMP '1970-01-01T00:00:00Z') + INTERVAL '1 hour'"


def targets(asked: Asked) -> Sequence[Target]:
    """The query of a question."""
    return [Target(text=_text(asked), over_time=is_over_time(asked))]


def _text(asked: Asked) -> str:
    match asked:
        case Course():
            values = ", ".join(f"{_last(each)} AS {each}" for each in asked.fields)
            return _grouped(asked, values, STEP, _any(asked.fields))
        case Latest():
            (one,) = asked.fields
            return _grouped(asked, f"{_last(one)} AS value", None, f"{one} IS NOT NULL")
        case Age():
            (one,) = asked.fields
            age = "date_part('epoch', now()) - date_part('epoch', max(time))"
            return _grouped(asked, f"{age} AS value", None, f"{one} IS NOT NULL")
        case Tally():
            (one,) = asked.fields
            value = f"sum({one})" if asked.how == "sum" else f"count({one})"
            time = {"range": None, "step": STEP, "hour": HOUR}[asked.per]
            only = [f"{name} = '{value}'" for name, value in asked.fixed.items()]
            only.append(one if asked.how == "true" else f"{one} IS NOT NULL")
            return _grouped(asked, f"{value} AS value", time, " AND ".join(only))
        case Life():
            where = f" WHERE {' AND '.join(map(_chosen, asked.chosen))}" if asked.chosen else ""
            every = "\n  UNION ALL ".join(
                f"SELECT mold, revision, shots FROM {each.name}{where}"
                for each in asked.measurements
            )
            return (
                f"SELECT mold, revision, sum(shots) AS value\nFROM ({every})\n"
                "GROUP BY mold, revision\nORDER BY mold, revision"
            )
        case Listing():
            only = ["$__timeFilter(time)", *map(_chosen, asked.chosen)]
            if asked.true:
                only.append(asked.true)
            return (
                f"SELECT time, {', '.join(asked.columns)}\nFROM {asked.measurement.name}\n"
                f"WHERE {' AND '.join(only)}\nORDER BY time DESC\nLIMIT {ROWS_MOST}"
            )


def _grouped(asked: Question, values: str, time: str | None, only: str) -> str:
    columns = [f"{time} AS time"] if time else []
    columns += asked.by
    places = ", ".join(str(n) for n in range(1, len(columns) + 1))
    where = ["$__timeFilter(time)", *map(_chosen, asked.chosen), only]
    return (
        f"SELECT {', '.join([*columns, values])}\nFROM {asked.measurement.name}\n"
        f"WHERE {' AND '.join(where)}\nGROUP BY {places}\nORDER BY {places}"
    )


def _last(field: str) -> str:
    return f"last_value({field} ORDER BY time) FILTER (WHERE {field} IS NOT NULL)"


def _any(fields: Sequence[str]) -> str:
    return "(" + " OR ".join(f"{each} IS NOT NULL" for each in fields) + ")"


def _chosen(label: str) -> str:
    return f"{label} IN (${{{label}:sqlstring}})"


def variable(label: str, measurement: str, _field: str) -> dict[str, object]:
    """What a person chooses from."""
    question = (
        f"SELECT DISTINCT {label} FROM {measurement} WHERE $__timeFilter(time) ORDER BY {label}"
    )
    return {"query": question, "definition": question}


def as_read(target: Target) -> dict[str, object]:
    """What Grafana is told of a query."""
    return {
        "rawSql": target.text, "query": target.text, "rawQuery": True, "editorMode": "code",
        "format": "time_series" if target.over_time else "table",
    }  # fmt: skip
