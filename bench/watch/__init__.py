"""How the watch does: false alarms, delays and causes, on streams whose truth is known.

Seeds below `FIRST_REPORTED` are for whoever tunes the watch; those from there on are run for the
page only, and nothing is ever tuned on them.
"""

FIRST_REPORTED = 9000
"""Smallest seed of the published figures."""
