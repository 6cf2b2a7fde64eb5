<?php

declare(strict_types=1);

/**
 * Writes all the time until stdin ends, then reads all back: what a user would notice of a fault, and what was lost.
 *
 * A process for each worker, as PHP's own servers have them, each with its own client.
 */
final class Load
{
    private const WORKERS = 4;
    private const KEYS = 50;
    private const REPORT_SECONDS = 0.25;

    public static function run(Keys $keys): void
    {
        $all = $keys->spread(self::WORKERS * self::KEYS, 'load');
        $workers = array_map(
            // every fourth key is a worker's own, so that each worker writes to all shards
            fn (int $first) => self::started(array_values(array_filter(
                $all,
                fn (int $i) => $i % self::WORKERS === $first,
                ARRAY_FILTER_USE_KEY,
            ))),
            range(0, self::WORKERS - 1),
        );
        $last = array_fill(0, self::WORKERS, ['acknowledged' => 0, 'errors' => 0]);
        stream_set_blocking(STDIN, false);
        do {
            usleep((int) (self::REPORT_SECONDS * 1e6));
            fread(STDIN, 1024);
            self::read($workers, $last);
            Outcome::say([...self::totals($last), 'workers' => array_column($last, 'acknowledged')]);
        } while (!feof(STDIN));
        foreach ($workers as $worker) {
            stream_socket_shutdown($worker, STREAM_SHUT_WR);
            stream_set_blocking($worker, true);
        }
        self::read($workers, $last);
        Outcome::say([
            'final' => true,
            ...self::totals($last),
            'lost' => array_sum(array_column($last, 'lost')),
            'longest_gap' => max(array_column($last, 'longest_gap')),
            'last_errors' => array_slice(array_unique(array_merge(...array_column($last, 'last_errors'))), -3),
        ]);
    }

    /**
     * @param list<string> $keys
     * @return resource the worker's end of it says its figures; that ours ends, ends the worker
     */
    private static function started(array $keys)
    {
        [$ours, $theirs] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
        if (pcntl_fork() === 0) {
            fclose($ours);
            (new Worker($keys, $theirs))->run();
            exit(0);
        }
        fclose($theirs);
        stream_set_blocking($ours, false);
        return $ours;
    }

    /** The latest that each worker has said; waits for the last when the streams block. */
    private static function read(array $workers, array &$last): void
    {
        foreach ($workers as $number => $worker) {
            while (($line = fgets($worker)) !== false) {
                $last[$number] = json_decode($line, true);
            }
        }
    }

    private static function totals(array $last): array
    {
        return [
            'acknowledged' => array_sum(array_column($last, 'acknowledged')),
            'errors' => array_sum(array_column($last, 'errors')),
        ];
    }
}
