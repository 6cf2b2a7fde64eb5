<?php

declare(strict_types=1);

/** The client answered, but not what it should have. */
final class WrongAnswer extends Exception
{
}

/** Runs one behaviour, and says in one line of JSON how it went. */
final class Outcome
{
    private const LIMIT_SECONDS = 20;

    public static function report(string $behaviour, callable $attempt): void
    {
        $started = microtime(true);
        $warnings = [];
        // the reason of a failed connection is in PHP's warnings
        set_error_handler(function (int $level, string $text) use (&$warnings): bool {
            $warnings[] = $text;
            return true;
        });
        pcntl_signal(SIGALRM, fn () => throw new WrongAnswer('no answer in ' . self::LIMIT_SECONDS . ' s'));
        pcntl_alarm(self::LIMIT_SECONDS);
        $detail = '';
        try {
            $attempt();
        } catch (Throwable $error) {
            $detail = implode('; ', [self::said($error), ...array_slice($warnings, 0, 1)]);
        } finally {
            pcntl_alarm(0);
            restore_error_handler();
        }
        self::say([
            'behaviour' => $behaviour,
            'outcome' => $detail === '' ? 'pass' : 'fail',
            'detail' => $detail,
            'seconds' => microtime(true) - $started,
        ]);
    }

    /** @param array<string, mixed> $line */
    public static function say(array $line): void
    {
        fwrite(STDOUT, json_encode($line, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE) . "\n");
    }

    public static function said(Throwable $error): string
    {
        return $error instanceof WrongAnswer ? $error->getMessage() : $error::class . ': ' . $error->getMessage();
    }

    /** @throws WrongAnswer with what the server said, if it said that there was an error */
    public static function expect(mixed $wanted, mixed $got, RedisCluster|Redis $client): void
    {
        if ($got !== $wanted) {
            $shown = fn (mixed $value): string => substr(json_encode($value), 0, 120);
            throw new WrongAnswer($client->getLastError() ?? "{$shown($got)} in place of {$shown($wanted)}");
        }
    }
}
