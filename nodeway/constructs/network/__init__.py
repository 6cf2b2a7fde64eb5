"""The proxies' VPC, its endpoints, peering, and DNS for clients outside AWS."""
