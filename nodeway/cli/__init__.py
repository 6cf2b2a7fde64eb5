"""The command `nodeway`."""
