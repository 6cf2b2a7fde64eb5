"""The benchmark of `make bench`: variants of a path to the nodes, measured side by side in the lab."""
