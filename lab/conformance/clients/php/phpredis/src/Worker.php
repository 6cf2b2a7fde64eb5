<?php

declare(strict_types=1);

/** One process that writes; it says its figures on a stream, and goes on until that is shut down. */
final class Worker
{
    private const PACE_MICROSECONDS = 20_000; // 50 writes a second
    private const PAUSE_MICROSECONDS = 100_000;
    private const READ_BACK_SECONDS = 20;

    private RedisCluster|Redis|null $client = null;
    /** @var array<string, int> the last acknowledged value of each key */
    private array $written = [];
    private int $acknowledged = 0;
    private int $errors = 0;
    /** @var list<string> */
    private array $texts = [];
    private float $longestGap = 0.0;

    /**
     * @param list<string> $keys
     * @param resource $figures
     */
    public function __construct(private readonly array $keys, private $figures)
    {
        stream_set_blocking($figures, false);
        set_error_handler(fn () => true); // the exception says it, too
    }

    public function run(): void
    {
        $value = hrtime(true); // no earlier run's
        $waitingSince = microtime(true);
        for ($i = 0; !$this->ended(); $i = ($i + 1) % count($this->keys)) {
            $done = $this->write($this->keys[$i], ++$value);
            $this->longestGap = max($this->longestGap, microtime(true) - $waitingSince);
            $this->say([]);
            usleep($done ? self::PACE_MICROSECONDS : self::PAUSE_MICROSECONDS);
            if ($done) {
                $waitingSince = microtime(true); // its own pace is no gap
            }
        }
        $lost = $this->lost();
        $this->say(['lost' => $lost, 'longest_gap' => $this->longestGap, 'last_errors' => $this->texts]);
    }

    private function ended(): bool
    {
        fread($this->figures, 1);
        return feof($this->figures);
    }

    private function write(string $key, int $value): bool
    {
        $done = $this->tried(fn (RedisCluster|Redis $client) => $client->set($key, (string) $value)) === true;
        if ($done) {
            $this->acknowledged++;
            $this->written[$key] = $value;
        } else {
            $this->errors++;
        }
        return $done;
    }

    /** How many keys have an older value than was acknowledged; one that nobody can read in time counts, too. */
    private function lost(): int
    {
        $deadline = microtime(true) + self::READ_BACK_SECONDS;
        $lost = 0;
        foreach ($this->written as $key => $value) {
            while (($read = $this->tried(fn ($client) => $client->get($key))) === null && microtime(true) < $deadline) {
                usleep(self::PAUSE_MICROSECONDS);
            }
            $lost += (int) $read < $value ? 1 : 0;
        }
        return $lost;
    }

    /** The answer, null when there was an error: then the next try has a client of its own, as the next request has. */
    private function tried(callable $command): mixed
    {
        try {
            $this->client ??= connect();
            $answer = $command($this->client);
            if ($this->client->getLastError() === null) {
                return $answer;
            }
            $text = $this->client->getLastError();
        } catch (RedisException | RedisClusterException $error) {
            $text = Outcome::said($error);
        }
        $this->client = null;
        $this->texts = array_slice([...array_diff($this->texts, [$text]), $text], -3);
        return null;
    }

    private function say(array $more): void
    {
        $line = ['acknowledged' => $this->acknowledged, 'errors' => $this->errors, ...$more];
        fwrite($this->figures, json_encode($line, JSON_INVALID_UTF8_SUBSTITUTE) . "\n");
    }
}
