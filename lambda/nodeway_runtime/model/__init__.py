"""Values, settings, errors and ports that all other parts share."""
