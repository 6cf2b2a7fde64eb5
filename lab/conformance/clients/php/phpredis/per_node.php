<?php

function connect(): RedisCluster
{
    $seeds = [getenv('LAB_ENDPOINT') . ':' . getenv('LAB_PORT')];
    $login = [getenv('LAB_USERNAME'), getenv('LAB_PASSWORD')];
    // 4 s to connect, 2 s for an answer, no persistent connections
    return new RedisCluster(null, $seeds, 4, 2, false, $login, ['cafile' => getenv('LAB_CA_FILE')]);
}
