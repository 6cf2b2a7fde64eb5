import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.redisson.Redisson;
import org.redisson.api.BatchOptions;
import org.redisson.api.BatchOptions.ExecutionMode;
import org.redisson.api.RBatch;
import org.redisson.api.RScript;
import org.redisson.api.RScript.Mode;
import org.redisson.api.RScript.ReturnType;
import org.redisson.api.RedissonClient;
import org.redisson.api.options.KeysScanOptions;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;
import org.redisson.config.ReadMode;

/** Redisson, whose objects are the same with a cluster and with one endpoint. */
final class RedissonObjects implements Client {

    private static final StringCodec TEXT = StringCodec.INSTANCE;
    private static final int PAGE = 1000;

    private final RedissonClient client;
    private RedissonClient replicas;

    RedissonObjects(RedissonClient client) {
        this.client = client;
    }

    @Override
    public void set(String key, String value) {
        client.<String>getBucket(key, TEXT).set(value);
    }

    @Override
    public String get(String key) {
        return client.<String>getBucket(key, TEXT).get();
    }

    @Override
    public List<String> setAndGet(List<String> keys) {
        RBatch batch = client.createBatch();
        List<CompletionStage<String>> reads = new ArrayList<>();
        for (String key : keys) {
            batch.<String>getBucket(key, TEXT).setAsync(key);
            reads.add(batch.<String>getBucket(key, TEXT).getAsync());
        }
        batch.execute();
        return reads.stream().map(read -> read.toCompletableFuture().join()).toList();
    }

    /** Its MULTI and EXEC are a batch's mode of execution. */
    @Override
    public List<String> transaction(String first, String second, String value) {
        RBatch batch = client.createBatch(BatchOptions.defaults().executionMode(ExecutionMode.REDIS_WRITE_ATOMIC));
        batch.<String>getBucket(first, TEXT).setAsync(value);
        batch.<String>getBucket(second, TEXT).setAsync(value);
        List<CompletionStage<String>> reads = List.of(
                batch.<String>getBucket(first, TEXT).getAsync(), batch.<String>getBucket(second, TEXT).getAsync());
        batch.execute();
        return reads.stream().map(read -> read.toCompletableFuture().join()).toList();
    }

    @Override
    public String loadScript(String script) {
        return client.getScript(TEXT).scriptLoad(script);
    }

    @Override
    public String callScript(String sha, String key, String argument) {
        return client.getScript(TEXT).evalSha(Mode.READ_WRITE, sha, ReturnType.VALUE, List.of(key), argument);
    }

    @Override
    public void subscribe(String channel, Consumer<String> onMessage) {
        client.getTopic(channel, TEXT).addListener(String.class, (from, message) -> onMessage.accept(message));
    }

    @Override
    public void publish(String channel, String message) {
        client.getTopic(channel, TEXT).publish(message);
    }

    @Override
    public void push(String list, String item) {
        client.<String>getBlockingQueue(list, TEXT).add(item);
    }

    @Override
    public String blockingPop(String list, int seconds) throws InterruptedException {
        return client.<String>getBlockingQueue(list, TEXT).poll(seconds, TimeUnit.SECONDS);
    }

    @Override
    public long databaseSize() {
        return client.getKeys().count();
    }

    @Override
    public Set<String> scan() {
        Set<String> keys = new HashSet<>();
        client.getKeys().getKeys(KeysScanOptions.defaults().chunkSize(PAGE)).forEach(keys::add);
        return keys;
    }

    @Override
    public String getFromReplica(String key) {
        return replicas().<String>getBucket(key, TEXT).get();
    }

    @Override
    public String roleWhereItReads(String key) {
        RScript script = replicas().getScript(TEXT);
        return script.eval(Mode.READ_ONLY, Behaviours.roleScript(), ReturnType.VALUE, List.of(key));
    }

    /** A client that reads from replicas; the endpoint's choice where there is but one. */
    private RedissonClient replicas() {
        if (!client.getConfig().isClusterConfig()) {
            return client;
        }
        if (replicas == null) {
            Config config = new Config(client.getConfig());
            config.useClusterServers().setReadMode(ReadMode.SLAVE);
            replicas = Redisson.create(config);
        }
        return replicas;
    }

    @Override
    public void close() {
        if (replicas != null) {
            replicas.shutdown();
        }
        client.shutdown();
    }
}
