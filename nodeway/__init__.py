"""nodeway."""
