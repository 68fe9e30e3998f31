"""Grafana's dashboards, made from the measurements for every server that they can come from.

`questions` are what panels ask, in no language; `promql`, `flux` and `sql` say them in one;
`boards` are the panels; `files` lays them out as Grafana reads them. `python -m scripts.grafana`
writes them all.
"""
