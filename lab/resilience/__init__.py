"""Faults under load: what clients see of each through the HAProxies and, in the same run, without them."""
