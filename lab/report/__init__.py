"""Reports of measurements: figures, thresholds, tables, generated parts of pages, progress."""
