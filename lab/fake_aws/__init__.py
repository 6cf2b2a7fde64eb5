"""fake_aws."""
