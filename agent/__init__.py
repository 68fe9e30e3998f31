"""The application: configuration, one task per machine, cycles, ledger, record, command line."""
