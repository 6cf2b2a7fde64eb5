"""ECS of the fake AWS."""
