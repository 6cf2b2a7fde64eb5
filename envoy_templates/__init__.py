"""Envoy's configuration and start script as templates, and the only code that renders them."""
