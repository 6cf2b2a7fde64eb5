"""`make bench`: the ways to a node, measured side by side in the lab's networks."""
