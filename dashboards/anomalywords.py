"""The sentence of an anomaly: the watch's own, which is English, or made of its figures.

What the watch says beside it, the likely cause and what to try, stays as it was found.
"""

from agent.anomaly import Anomaly
from dashboards.catalogue import COMPLETE, Catalogue
from dashboards.face import shown, shown_long
from dashboards.figures import number
from dashboards.wording import in_words, told


def sentence(anomaly: Anomaly, strings: Catalogue) -> str:
    """What was found, in the language of whoever asks."""
    if strings.language == COMPLETE:
        return shown_long(anomaly.message)
    text = _found(anomaly, strings) or strings[f"cause.{anomaly.kind}_{anomaly.cause}"]
    if limit := told(anomaly.limit, anomaly.signal):
        text = strings.say("said.limit", text=text, limit=limit)
    if anomaly.since_counter is not None:
        text = strings.say("said.since", text=text, n=number(anomaly.since_counter))
    return f"{text}."


def brief(anomaly: Anomaly, strings: Catalogue) -> str:
    """The same in a few words, for a line of a list."""
    if strings.language == COMPLETE:
        return shown(anomaly.short)
    return shown(_found(anomaly, strings))


def _found(anomaly: Anomaly, strings: Catalogue) -> str:
    """A signal and its value, against what was expected; empty where it is about none."""
    value = told(anomaly.value, anomaly.signal)
    if not anomaly.signal or not value:
        return ""
    name = in_words(anomaly.signal)
    if expected := told(anomaly.expected, anomaly.signal):
        return strings.say("said.instead", name=name, value=value, expected=expected)
    return strings.say("said.value", name=name, value=value)
