"""Traces the path of each name over the network."""
