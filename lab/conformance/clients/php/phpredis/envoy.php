<?php

function connect(): Redis
{
    $client = new Redis();
    $tls = ['stream' => ['cafile' => getenv('LAB_CA_FILE')]];
    // 4 s to connect, no persistent connection, no pause before another try, 2 s for an answer
    $client->connect('tls://' . getenv('LAB_ENDPOINT'), (int) getenv('LAB_PORT'), 4, null, 0, 2, $tls);
    $client->auth([getenv('LAB_USERNAME'), getenv('LAB_PASSWORD')]);
    return $client;
}
