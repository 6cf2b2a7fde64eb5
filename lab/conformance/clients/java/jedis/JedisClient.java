import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.Response;
import redis.clients.jedis.ScanIteration;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.KeyValue;

/** What Jedis does alike with a cluster and with one endpoint. */
abstract class JedisClient implements Client {

    private static final int PAGE = 1000;

    private final UnifiedJedis client;

    JedisClient(UnifiedJedis client) {
        this.client = client;
    }

    /** A transaction, begun, for keys of this key's slot. */
    abstract AbstractTransaction begin(String key);

    @Override
    public void set(String key, String value) {
        client.set(key, value);
    }

    @Override
    public String get(String key) {
        return client.get(key);
    }

    @Override
    public List<String> setAndGet(List<String> keys) {
        List<Response<String>> reads = new ArrayList<>();
        try (AbstractPipeline pipeline = client.pipelined()) {
            for (String key : keys) {
                pipeline.set(key, key);
                reads.add(pipeline.get(key));
            }
            pipeline.sync();
        }
        return reads.stream().map(Response::get).toList();
    }

    @Override
    public List<String> transaction(String first, String second, String value) {
        try (AbstractTransaction transaction = begin(first)) {
            transaction.set(first, value);
            transaction.set(second, value);
            List<Response<String>> reads = List.of(transaction.get(first), transaction.get(second));
            transaction.exec();
            return reads.stream().map(Response::get).toList();
        }
    }

    @Override
    public String loadScript(String script) {
        return client.scriptLoad(script);
    }

    @Override
    public String callScript(String sha, String key, String argument) {
        return (String) client.evalsha(sha, List.of(key), List.of(argument));
    }

    /** Jedis blocks the thread that subscribes. */
    @Override
    public void subscribe(String channel, Consumer<String> onMessage) {
        CompletableFuture<Void> subscribed = new CompletableFuture<>();
        JedisPubSub subscriber = new JedisPubSub() {
            @Override
            public void onSubscribe(String to, int count) {
                subscribed.complete(null);
            }

            @Override
            public void onMessage(String from, String message) {
                onMessage.accept(message);
            }
        };
        Thread thread = new Thread(() -> {
            try {
                client.subscribe(subscriber, channel);
            } catch (JedisException error) {
                subscribed.completeExceptionally(error);
            }
        });
        thread.setDaemon(true);
        thread.start();
        subscribed.join();
    }

    @Override
    public void publish(String channel, String message) {
        client.publish(channel, message);
    }

    @Override
    public void push(String list, String item) {
        client.rpush(list, item);
    }

    @Override
    public String blockingPop(String list, int seconds) {
        KeyValue<String, String> popped = client.blpop((double) seconds, list);
        return popped == null ? null : popped.getValue();
    }

    @Override
    public long databaseSize() {
        return client.dbSize();
    }

    @Override
    public Set<String> scan() {
        ScanIteration pages = client.scanIteration(PAGE, "*");
        Set<String> keys = new HashSet<>();
        while (!pages.isIterationCompleted()) {
            keys.addAll(pages.nextBatchList());
        }
        return keys;
    }

    @Override
    public void close() {
        client.close();
    }
}
