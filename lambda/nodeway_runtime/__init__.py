"""nodeway_runtime."""
