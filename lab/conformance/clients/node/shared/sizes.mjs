// How much of everything the clients are asked for.

export const BATCH = 1024;
export const COMMANDS = 500;
export const TRANSACTIONS = 60;
export const REPLICA_READS = 20;
export const SCRIPT = "return redis.call('GET', KEYS[1]) .. ARGV[1]";
