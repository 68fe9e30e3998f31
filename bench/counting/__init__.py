"""Random stories of what counters do, with the truth worked out beside the ledger."""
