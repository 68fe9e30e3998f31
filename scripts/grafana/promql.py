"""Questions in PromQL, as VictoriaMetrics answers them: words are labels; there are no texts."""

from collections.abc import Sequence

from scripts.grafana.questions import (
    Age,
    Asked,
    Course,
    Latest,
    Life,
    Listing,
    Tally,
    Target,
    is_over_time,
)

NAME = "victoriametrics"
TITLE = "VictoriaMetrics"
SOURCE = {"type": "prometheus", "uid": "sprue-victoriametrics"}
ALL_VALUE: str | None = ".*"
COUNTED = {"count": "count_over_time", "sum": "sum_over_time", "true": "sum_over_time"}
OVER = {"count": "count", "sum": "sum", "true": "sum"}
WINDOWS = {"range": "$__range", "step": "$__interval", "hour": "1h"}


def targets(asked: Asked) -> Sequence[Target]:
    """The queries of a question; none where it can't be asked here."""
    match asked:
        case Course():
            return [
                _target(asked, f"max by ({_by(asked)}) (last_over_time({each}[$__interval]))", name)
                for name, each in _series(asked).items()
            ]
        case Latest():
            (found,) = _series(asked).values()
            return [_target(asked, f"max by ({_by(asked)}) (last_over_time({found}[$__range]))")]
        case Age():
            (found,) = _series(asked).values()
            text = f"time() - max by ({_by(asked)}) (tlast_over_time({found}[$__range]))"
            return [_target(asked, text)]
        case Tally():
            (found,) = _series(asked).values()
            inner = f"{COUNTED[asked.how]}({found}[{WINDOWS[asked.per]}])"
            more = " > 0" if asked.how == "true" else ""
            return [_target(asked, f"sum by ({_by(asked)}) ({inner}){more}")]
        case Life() | Listing():
            return []


def _series(asked: Course | Latest | Age | Tally) -> dict[str, str]:
    labels = [f'{name}=~"${name}"' for name in asked.chosen]
    if isinstance(asked, Tally):
        labels += [f'{name}="{value}"' for name, value in asked.fixed.items()]
    inside = ",".join(labels)
    return {each: f"{asked.measurement.name}_{each}{{{inside}}}" for each in asked.fields}


def _by(asked: Course | Latest | Age | Tally) -> str:
    return ", ".join(asked.by)


def _target(asked: Course | Latest | Age | Tally, text: str, name: str = "") -> Target:
    legend = [f"{{{{{label}}}}}" for label in asked.by]
    if len(asked.fields) > 1:
        legend.append(name)
    return Target(text=text, legend=" ".join(legend), over_time=is_over_time(asked))


def variable(label: str, measurement: str, field: str) -> dict[str, object]:
    """What a person chooses from."""
    question = f"label_values({measurement}_{field}, {label})"
    return {"query": {"query": question, "refId": label}, "definition": question}


def as_read(target: Target) -> dict[str, object]:
    """What Grafana is told of a query."""
    return {
        "expr": target.text, "legendFormat": target.legend, "range": target.over_time,
        "instant": not target.over_time,
    }  # fmt: skip
