"""What the running lab shows: records, HAProxies, ECS, the account, and what clients get."""
