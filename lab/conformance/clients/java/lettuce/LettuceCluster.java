import io.lettuce.core.ReadFrom;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;

/** Lettuce's cluster client. */
final class LettuceCluster extends LettuceClient {

    private final RedisClusterClient client;
    private final StatefulRedisClusterConnection<String, String> connection;
    private StatefulRedisClusterConnection<String, String> replicas;

    static LettuceCluster of(RedisClusterClient client) {
        return new LettuceCluster(client, client.connect());
    }

    private LettuceCluster(RedisClusterClient client, StatefulRedisClusterConnection<String, String> connection) {
        super(client, connection.sync(), connection.async());
        this.client = client;
        this.connection = connection;
    }

    /** Its cluster API has no MULTI: one takes the connection of the key's node. */
    @Override
    RedisCommands<String, String> transactional(String key) {
        String node = connection.getPartitions().getPartitionBySlot(SlotHash.getSlot(key)).getNodeId();
        return connection.getConnection(node).sync();
    }

    @Override
    StatefulRedisPubSubConnection<String, String> subscriber() {
        return client.connectPubSub();
    }

    @Override
    RedisClusterCommands<String, String> replicas() {
        if (replicas == null) {
            replicas = client.connect();
            replicas.setReadFrom(ReadFrom.REPLICA);
        }
        return replicas.sync();
    }
}
