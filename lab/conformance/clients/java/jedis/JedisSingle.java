import java.util.List;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClient;

/** Jedis's client of one endpoint, to which one can say no more of replicas than READONLY. */
final class JedisSingle extends JedisClient {

    private final RedisClient client;

    JedisSingle(RedisClient client) {
        super(client);
        this.client = client;
    }

    @Override
    AbstractTransaction begin(String key) {
        return client.multi();
    }

    @Override
    public String getFromReplica(String key) {
        client.executeCommand(new CommandArguments(Command.READONLY));
        return client.get(key);
    }

    @Override
    public String roleWhereItReads(String key) {
        return (String) client.evalReadonly(Behaviours.roleScript(), List.of(key), List.of());
    }
}
