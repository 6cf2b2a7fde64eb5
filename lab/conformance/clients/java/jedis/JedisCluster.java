import java.util.List;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.CommandObjects;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.Transaction;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Jedis's cluster client. */
final class JedisCluster extends JedisClient {

    private final RedisClusterClient client;
    private final CommandObjects commands = new CommandObjects(RedisProtocol.RESP3);

    JedisCluster(RedisClusterClient client) {
        super(client);
        this.client = client;
    }

    /** Its cluster client has no MULTI: one takes the connection of the key's slot, and gives it back. */
    @Override
    AbstractTransaction begin(String key) {
        return new Transaction(client.getConnectionFromSlot(JedisClusterCRC16.getSlot(key)), true, true);
    }

    @Override
    public String getFromReplica(String key) {
        return client.executeCommandToReplica(commands.get(key));
    }

    @Override
    public String roleWhereItReads(String key) {
        return (String) client.executeCommandToReplica(
                commands.evalReadonly(Behaviours.roleScript(), List.of(key), List.of()));
    }
}
