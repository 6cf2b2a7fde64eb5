"""The Lambda entry points and what they log."""
