"""The code of the Lambda functions; the only import root of their asset."""
