"""What is printed from code: pages, dashboards; and what CI runs."""
