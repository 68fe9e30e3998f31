"""Presses whose OPC UA servers follow no companion specification."""
