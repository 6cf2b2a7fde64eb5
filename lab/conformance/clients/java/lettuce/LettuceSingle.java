import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;

/** Lettuce's client of one endpoint, to which one can say no more of replicas than READONLY. */
final class LettuceSingle extends LettuceClient {

    private final RedisClient client;
    private final RedisCommands<String, String> commands;

    static LettuceSingle of(RedisClient client) {
        return new LettuceSingle(client, client.connect());
    }

    private LettuceSingle(RedisClient client, StatefulRedisConnection<String, String> connection) {
        super(client, connection.sync(), connection.async());
        this.client = client;
        this.commands = connection.sync();
    }

    @Override
    RedisCommands<String, String> transactional(String key) {
        return commands;
    }

    @Override
    StatefulRedisPubSubConnection<String, String> subscriber() {
        return client.connectPubSub();
    }

    @Override
    RedisClusterCommands<String, String> replicas() {
        commands.readOnly();
        return commands;
    }
}
