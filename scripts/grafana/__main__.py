"""`python -m scripts.grafana` writes dashboards/grafana/; a test compares."""

from scripts.grafana.files import write

write()
