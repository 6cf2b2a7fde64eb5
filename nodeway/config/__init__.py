"""The configuration of an environment: its model, its rules and its loader."""
