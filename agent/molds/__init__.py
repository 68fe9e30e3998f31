"""Molds: what they are, where they sat, what they took, what was done to them.

Read with `agent.molds.shelf`, change with `agent.molds.desk`; `moldlife` is the stage that alerts.
"""
