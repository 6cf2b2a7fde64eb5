"""What is measured: the testbed, the variants of a path, and their programs."""
