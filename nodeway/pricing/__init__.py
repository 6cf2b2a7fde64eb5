"""The estimate of an environment's monthly cost."""
