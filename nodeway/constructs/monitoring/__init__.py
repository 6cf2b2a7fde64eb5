"""The alarms and the dashboard of an environment."""
