"""Questions that people ask of the measurements, in every language that can ask them.

They stand on docs/reference/influxdb.md; tests ask servers and engines each of them.
"""

from collections.abc import Mapping

FLUX, INFLUXQL, SQL, PROMQL = "Flux", "InfluxQL", "SQL", "PromQL"

LANGUAGES = {
    FLUX: "InfluxDB 2",
    INFLUXQL: "InfluxDB 1.8, 2 and 3",
    SQL: "InfluxDB 3",
    PROMQL: "VictoriaMetrics",
}

LIFE = "Shots of every mold revision so far, as `sprue molds` has them"
COOLING = "Cooling time of one mold in the last eight hours"
HOURLY = "Shots an hour of every machine"
SIGHT = "Hours without sight in a week, by machine"
WORDS = "What was found on one mold in a week, in words"

EXAMPLES: Mapping[str, Mapping[str, str]] = {
    LIFE: {
        FLUX: """
from(bucket: "molding")
  |> range(start: 0)
  |> filter(fn: (r) => r._measurement == "sprue_ledger" or r._measurement == "sprue_adjustment")
  |> filter(fn: (r) => r._field == "shots")
  |> group(columns: ["mold", "revision"])
  |> sum()
""",
        INFLUXQL: """
SELECT sum("shots") FROM "sprue_ledger", "sprue_adjustment" GROUP BY "mold", "revision"
""",
        SQL: """
SELECT mold, revision, sum(shots) AS shots FROM (
  SELECT mold, revision, shots FROM sprue_ledger
  UNION ALL SELECT mold, revision, shots FROM sprue_adjustment
) GROUP BY mold, revision
""",
    },
    COOLING: {
        FLUX: """
from(bucket: "molding")
  |> range(start: -8h)
  |> filter(fn: (r) => r._measurement == "sprue_cycle" and r._field == "cooling_time_s")
  |> filter(fn: (r) => r.mold == "A-17")
""",
        INFLUXQL: """
SELECT "counter", "cooling_time_s" FROM "sprue_cycle" WHERE "mold" = 'A-17' AND time > now() - 8h
""",
        SQL: """
SELECT time, counter, cooling_time_s FROM sprue_cycle
WHERE mold = 'A-17' AND time > now() - INTERVAL '8 hours' ORDER BY time
""",
        PROMQL: """
sprue_cycle_cooling_time_s{mold="A-17"}[8h]
""",
    },
    HOURLY: {
        FLUX: """
from(bucket: "molding")
  |> range(start: -24h)
  |> filter(fn: (r) => r._measurement == "sprue_cycle" and r._field == "closing")
  |> filter(fn: (r) => r._value == "shot")
  |> group(columns: ["machine"])
  |> aggregateWindow(every: 1h, fn: count)
""",
        INFLUXQL: """
SELECT count("counter") FROM "sprue_cycle" WHERE "closing" = 'shot' AND time > now() - 24h
GROUP BY "machine", time(1h)
""",
        SQL: """
SELECT machine, date_bin(INTERVAL '1 hour', time) AS hour, count(*) AS shots FROM sprue_cycle
WHERE closing = 'shot' AND time > now() - INTERVAL '24 hours' GROUP BY 1, 2 ORDER BY 1, 2
""",
        PROMQL: """
sum by (machine) (count_over_time(sprue_cycle_counter{closing="shot"}[1h]))
""",
    },
    SIGHT: {
        FLUX: """
from(bucket: "molding")
  |> range(start: -7d)
  |> filter(fn: (r) => r._measurement == "sprue_blind" and r._field == "duration_s")
  |> group(columns: ["machine"])
  |> sum()
  |> map(fn: (r) => ({r with _value: r._value / 3600.0}))
""",
        INFLUXQL: """
SELECT sum("duration_s") / 3600 FROM "sprue_blind" WHERE time > now() - 7d GROUP BY "machine"
""",
        SQL: """
SELECT machine, sum(duration_s) / 3600 AS hours FROM sprue_blind
WHERE time > now() - INTERVAL '7 days' GROUP BY machine
""",
        PROMQL: """
sum by (machine) (sum_over_time(sprue_blind_duration_s[7d])) / 3600
""",
    },
    WORDS: {
        FLUX: """
from(bucket: "molding")
  |> range(start: -7d)
  |> filter(fn: (r) => r._measurement == "sprue_anomaly" and r.mold == "A-17")
  |> filter(fn: (r) => r._field == "open" or r._field == "cause" or r._field == "message")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => r.open)
  |> keep(columns: ["_time", "machine", "cause", "message"])
""",
        INFLUXQL: """
SELECT "machine", "cause", "message" FROM "sprue_anomaly"
WHERE "mold" = 'A-17' AND "open" = true AND time > now() - 7d
""",
        SQL: """
SELECT time, machine, cause, message FROM sprue_anomaly
WHERE mold = 'A-17' AND open AND time > now() - INTERVAL '7 days' ORDER BY time
""",
    },
}
"""By question, by language."""


def section() -> str:
    """They, as a page shows them."""
    parts = [
        "## Examples\n\nEach in every language that can ask it. VictoriaMetrics has no texts, and "
        "several samples of a row that grew: it can be asked for neither life nor words.\n"
    ]
    for question, languages in EXAMPLES.items():
        parts.append(f"### {question}\n")
        for language, query in languages.items():
            fence = "sql" if language in (SQL, INFLUXQL) else ""
            parts.append(
                f"{language} ({LANGUAGES[language]}):\n\n```{fence}\n{query.strip()}\n```\n"
            )
    return "\n".join(parts)


def queries(language: str) -> dict[str, str]:
    """The examples in one language, by question."""
    return {
        question: languages[language].strip()
        for question, languages in EXAMPLES.items()
        if language in languages
    }
