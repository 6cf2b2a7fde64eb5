"""The private zone of a cluster's clients, and the resync function that writes its records."""
