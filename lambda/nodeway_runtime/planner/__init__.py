"""Decides what a run changes: desired records, plan, guard, stand-ins. Pure but for its ports."""
