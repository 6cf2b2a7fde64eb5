<?php

/** The conformance program of phpredis: `commands`, `connect` or `load`, a line of JSON for each result. */

declare(strict_types=1);

foreach (['Keys', 'Outcome', 'Behaviours', 'Worker', 'Load'] as $class) {
    require __DIR__ . "/src/$class.php";
}
require __DIR__ . (str_starts_with(getenv('LAB_WAY'), 'envoy') ? '/envoy.php' : '/per_node.php');

pcntl_async_signals(true);

function commands(): void
{
    $keys = Keys::read();
    $behaviours = [
        'all_slots' => 'allSlots',
        'pipeline_500' => 'pipeline',
        'multi_exec' => 'transactions',
        'evalsha' => 'script',
        'pubsub' => 'message',
        'blpop' => 'blockingPop',
        'scan' => 'scan',
        'replica_read' => 'replicaRead',
    ];
    foreach ($behaviours as $name => $method) {
        Outcome::report($name, fn () => (new Behaviours(connect(), $keys))->$method());
    }
}

function connectOnce(): void
{
    Outcome::report('connect', function (): void {
        $client = connect();
        $client->set('phpredis:connect', 'value');
        Outcome::expect('value', $client->get('phpredis:connect'), $client);
    });
}

match ($argv[1] ?? '') {
    'commands' => commands(),
    'connect' => connectOnce(),
    'load' => Load::run(Keys::read()),
    default => exit("mode: allowed: commands, connect, load\n"),
};
