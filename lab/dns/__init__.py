"""The resolvers of the lab's VPCs."""
