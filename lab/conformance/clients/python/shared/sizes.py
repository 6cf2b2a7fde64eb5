"""How much of everything the clients are asked for."""

BATCH = 1024
COMMANDS = 500
TRANSACTIONS = 60
REPLICA_READS = 20
SCRIPT = "return redis.call('GET', KEYS[1]) .. ARGV[1]"
