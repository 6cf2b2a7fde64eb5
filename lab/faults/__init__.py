"""Faults under load, as scenarios: what a client sees of each through our part, and without it.

It must never count a loss that Redis itself allows on a failover as ours, nor one of ours as Redis's.
"""
