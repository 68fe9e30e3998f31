"""Presses whose OPC UA servers follow OPC 40077 (EUROMAP 77)."""
