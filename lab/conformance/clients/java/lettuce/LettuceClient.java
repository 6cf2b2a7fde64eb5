import io.lettuce.core.AbstractRedisClient;
import io.lettuce.core.KeyScanCursor;
import io.lettuce.core.KeyValue;
import io.lettuce.core.LettuceFutures;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScanArgs;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.TransactionResult;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/** What Lettuce does alike with a cluster and with one endpoint. */
abstract class LettuceClient implements Client {

    private static final Duration PIPELINE_LIMIT = Duration.ofSeconds(15);

    private final AbstractRedisClient client;
    private final RedisClusterCommands<String, String> commands;
    private final RedisClusterAsyncCommands<String, String> async;

    LettuceClient(
            AbstractRedisClient client,
            RedisClusterCommands<String, String> commands,
            RedisClusterAsyncCommands<String, String> async) {
        this.client = client;
        this.commands = commands;
        this.async = async;
    }

    /** The commands of a connection that may use MULTI for this key. */
    abstract RedisCommands<String, String> transactional(String key);

    abstract StatefulRedisPubSubConnection<String, String> subscriber();

    /** The commands of a connection that reads from replicas. */
    abstract RedisClusterCommands<String, String> replicas();

    @Override
    public void set(String key, String value) {
        commands.set(key, value);
    }

    @Override
    public String get(String key) {
        return commands.get(key);
    }

    @Override
    public List<String> setAndGet(List<String> keys) {
        List<RedisFuture<String>> reads = new ArrayList<>();
        for (String key : keys) {
            async.set(key, key);
            reads.add(async.get(key));
        }
        LettuceFutures.awaitAll(PIPELINE_LIMIT, reads.toArray(new RedisFuture<?>[0]));
        return reads.stream().map(LettuceClient::answer).toList();
    }

    private static String answer(RedisFuture<String> read) {
        try {
            return read.get();
        } catch (ExecutionException error) {
            throw new IllegalStateException(error.getCause());
        } catch (InterruptedException stop) {
            throw new IllegalStateException(stop);
        }
    }

    @Override
    public List<String> transaction(String first, String second, String value) {
        RedisCommands<String, String> node = transactional(first);
        node.multi();
        node.set(first, value);
        node.set(second, value);
        node.get(first);
        node.get(second);
        TransactionResult answers = node.exec();
        return List.of(answers.get(2), answers.get(3));
    }

    @Override
    public String loadScript(String script) {
        return commands.scriptLoad(script);
    }

    @Override
    public String callScript(String sha, String key, String argument) {
        return commands.evalsha(sha, ScriptOutputType.VALUE, new String[] {key}, argument);
    }

    @Override
    public void subscribe(String channel, Consumer<String> onMessage) {
        StatefulRedisPubSubConnection<String, String> subscriber = subscriber();
        subscriber.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String from, String message) {
                onMessage.accept(message);
            }
        });
        subscriber.sync().subscribe(channel);
    }

    @Override
    public void publish(String channel, String message) {
        commands.publish(channel, message);
    }

    @Override
    public void push(String list, String item) {
        commands.rpush(list, item);
    }

    @Override
    public String blockingPop(String list, int seconds) {
        KeyValue<String, String> popped = commands.blpop(seconds, list);
        return popped == null ? null : popped.getValue();
    }

    @Override
    public long databaseSize() {
        return commands.dbsize();
    }

    @Override
    public Set<String> scan() {
        ScanArgs page = ScanArgs.Builder.limit(1000);
        KeyScanCursor<String> cursor = commands.scan(page);
        Set<String> keys = new HashSet<>(cursor.getKeys());
        while (!cursor.isFinished()) {
            cursor = commands.scan(cursor, page);
            keys.addAll(cursor.getKeys());
        }
        return keys;
    }

    @Override
    public String getFromReplica(String key) {
        return replicas().get(key);
    }

    @Override
    public String roleWhereItReads(String key) {
        return replicas().evalReadOnly(Behaviours.roleScript(), ScriptOutputType.VALUE, new String[] {key});
    }

    @Override
    public void close() {
        client.shutdown();
    }
}
