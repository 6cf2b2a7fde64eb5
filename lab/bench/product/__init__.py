"""The cost of the product itself: resync runs and synths with up to 500 nodes."""
