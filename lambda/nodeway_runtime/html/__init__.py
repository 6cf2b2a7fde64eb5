"""Renders a report as HTML. Pure."""
