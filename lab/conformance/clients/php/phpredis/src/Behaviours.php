<?php

declare(strict_types=1);

/** What phpredis is asked to do; RedisCluster and Redis differ in what they can, and how it is called. */
final class Behaviours
{
    private const PIPELINED_KEYS = 250; // a SET and a GET each: 500 commands
    private const TRANSACTIONS = 60;
    private const SCRIPTS = 12;
    private const REPLICA_READS = 20;
    private const REPLICATION_SECONDS = 5;
    private const SCRIPT = 'return KEYS[1] .. ARGV[1]';

    public function __construct(private readonly RedisCluster|Redis $client, private readonly Keys $keys)
    {
    }

    public function allSlots(): void
    {
        foreach ($this->keys->spread(Keys::SLOTS, 'slot') as $key) {
            $this->client->set($key, $key);
            $this->expect($key, $this->client->get($key));
        }
    }

    public function pipeline(): void
    {
        $pipeline = $this->client->pipeline();
        $wanted = [];
        foreach ($this->keys->spread(self::PIPELINED_KEYS, 'pipeline') as $key) {
            $pipeline->set($key, $key)->get($key);
            array_push($wanted, true, $key);
        }
        $this->expect($wanted, $pipeline->exec());
    }

    public function transactions(): void
    {
        foreach ($this->keys->spread(self::TRANSACTIONS, 'transaction') as $key) {
            $answers = $this->client->multi()
                ->set("$key:a", $key)->set("$key:b", $key)->get("$key:a")->get("$key:b")
                ->exec();
            $this->expect([true, true, $key, $key], $answers);
        }
    }

    public function script(): void
    {
        $sha = sha1(self::SCRIPT);
        foreach ($this->primaries() as $primary) {
            $this->expect($sha, $this->client->script(...[...$primary, 'load', self::SCRIPT]));
        }
        foreach ($this->keys->spread(self::SCRIPTS, 'script') as $key) {
            $this->expect("$key!", $this->client->evalSha($sha, [$key, '!'], 1));
        }
    }

    /** A subscription blocks the process: another one publishes. */
    public function message(): void
    {
        $channel = $this->keys->at(0, 'channel');
        $publisher = pcntl_fork();
        if ($publisher === 0) {
            usleep(500_000);
            connect()->publish($channel, 'hello');
            pcntl_exec('/bin/true'); // an exit would close the TLS session of the parent's connection
        }
        $received = null;
        try {
            $done = $this->client->subscribe([$channel], function ($client, $from, $text) use (&$received): void {
                $received = $text;
                $client->unsubscribe([$from]);
            });
        } finally {
            pcntl_waitpid($publisher, $status);
        }
        $this->expect('hello', $received ?? $done);
    }

    public function blockingPop(): void
    {
        $list = $this->keys->at(0, 'list-' . hrtime(true)); // whatever an earlier run left behind is another list
        $started = microtime(true);
        $this->expect([], $this->client->blPop([$list], 1));
        if (microtime(true) - $started < 0.9) {
            throw new WrongAnswer('BLPOP of an empty list did not wait for 1 s');
        }
        $this->client->rPush($list, 'job');
        $this->expect([$list, 'job'], $this->client->blPop([$list], 1));
    }

    public function scan(): void
    {
        $found = [];
        $size = 0;
        $written = $this->keys->spread(self::PIPELINED_KEYS, 'scan');
        array_map(fn (string $key) => $this->client->set($key, $key), $written);
        foreach ($this->primaries() as $primary) {
            $cursor = null;
            while (($page = $this->client->scan($cursor, ...[...$primary, '*', 1000])) !== false) {
                $found += array_flip($page);
            }
        }
        $there = count(array_filter($written, fn (string $key) => isset($found[$key])));
        if ($there < count($written)) {
            throw new WrongAnswer("SCAN found $there of " . count($written) . ' keys');
        }
        foreach ($this->primaries() as $primary) {
            $size += $this->client->dbSize(...$primary);
        }
        $this->expect($size, count($found));
    }

    public function replicaRead(): void
    {
        $key = $this->keys->at(0, 'replica');
        $value = (string) hrtime(true);
        $this->client->set($key, $value);
        if ($this->client instanceof Redis) {
            // all that one can say to one endpoint
            $this->expect(true, $this->client->rawCommand('READONLY'));
            return;
        }
        $before = $this->gets($key);
        $this->client->setOption(RedisCluster::OPT_SLAVE_FAILOVER, RedisCluster::FAILOVER_DISTRIBUTE_SLAVES);
        $deadline = microtime(true) + self::REPLICATION_SECONDS;
        while ($this->client->get($key) !== $value && microtime(true) < $deadline) {
            usleep(50_000);
        }
        for ($read = 0; $read < self::REPLICA_READS; $read++) {
            $this->expect($value, $this->client->get($key));
        }
        $served = $this->gets($key) - $before;
        if ($served >= self::REPLICA_READS) {
            throw new WrongAnswer("the primary served $served of " . self::REPLICA_READS . ' reads');
        }
    }

    /** How many GETs the primary of the key's slot has served. */
    private function gets(string $key): int
    {
        preg_match('/calls=(\d+)/', $this->client->info($key, 'commandstats')['cmdstat_get'] ?? '', $found);
        return (int) ($found[1] ?? 0);
    }

    /**
     * The first arguments of a command that one sends to each primary: none to one endpoint.
     *
     * @return list<list<array{string, int}>>
     */
    private function primaries(): array
    {
        return $this->client instanceof Redis ? [[]] : array_map(fn (array $node) => [$node], $this->client->_masters());
    }

    private function expect(mixed $wanted, mixed $got): void
    {
        Outcome::expect($wanted, $got, $this->client);
    }
}
