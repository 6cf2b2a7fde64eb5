"""Runs the client programs in the sandbox, and what happens to proxies and nodes meanwhile."""
