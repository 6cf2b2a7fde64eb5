"""The lab's ElastiCache cluster of real Valkey nodes."""
