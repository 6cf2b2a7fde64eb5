"""Adapters over boto3 clients."""
