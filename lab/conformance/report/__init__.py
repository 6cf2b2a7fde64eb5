"""The report of a run, its table for a terminal, and docs/clients.md."""
