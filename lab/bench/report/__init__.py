"""The reports: ratios, thresholds, plots, and the page."""
