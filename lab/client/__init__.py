"""Clients with thousands of connections, and slow ones, for measurements."""
