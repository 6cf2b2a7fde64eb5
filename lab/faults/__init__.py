"""Faults of the running lab. Each is made for a block or by a call, and undone after it."""
