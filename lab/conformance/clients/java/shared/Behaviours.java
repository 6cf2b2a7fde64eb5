import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The behaviours that every client is asked for; each throws {@link WrongAnswer} or what the client throws. */
final class Behaviours {

    private static final int PIPELINED_KEYS = 250; // a SET and a GET each: 500 commands
    private static final int TRANSACTIONS = 60;
    private static final int SCRIPT_KEYS = 12;
    private static final int BATCH = 1024;
    private static final Duration REPLICATION = Duration.ofSeconds(5);
    private static final String ROLE = "return string.match(redis.call('INFO', 'replication'), 'role:(%a+)')";

    private final Client client;
    private final SlotKeys keys;

    Behaviours(Client client, SlotKeys keys) {
        this.client = client;
        this.keys = keys;
    }

    interface Check {
        void run(Behaviours behaviours) throws InterruptedException;
    }

    static Map<String, Check> all() {
        Map<String, Check> checks = new LinkedHashMap<>();
        checks.put("all_slots", Behaviours::allSlots);
        checks.put("pipeline_500", Behaviours::pipeline);
        checks.put("multi_exec", Behaviours::transactions);
        checks.put("evalsha", Behaviours::script);
        checks.put("pubsub", Behaviours::publish);
        checks.put("blpop", Behaviours::blockingPop);
        checks.put("scan", Behaviours::scan);
        checks.put("replica_read", Behaviours::replicaRead);
        return checks;
    }

    /** The script of {@link Client#roleWhereItReads}. */
    static String roleScript() {
        return ROLE;
    }

    private void allSlots() {
        List<String> all = keys.spread(SlotKeys.SLOTS, "slot");
        for (int start = 0; start < all.size(); start += BATCH) {
            List<String> batch = all.subList(start, Math.min(start + BATCH, all.size()));
            WrongAnswer.unlessEqual(batch, client.setAndGet(batch), "GETs");
        }
    }

    private void pipeline() {
        List<String> some = keys.spread(PIPELINED_KEYS, "pipeline");
        WrongAnswer.unlessEqual(some, client.setAndGet(some), "GETs");
    }

    private void transactions() {
        for (String key : keys.spread(TRANSACTIONS, "transaction")) {
            List<String> answers = client.transaction(key + ":a", key + ":b", key);
            WrongAnswer.unlessEqual(List.of(key, key), answers, "EXEC");
        }
    }

    private void script() {
        String sha = client.loadScript("return KEYS[1] .. ARGV[1]");
        for (String key : keys.spread(SCRIPT_KEYS, "script")) {
            WrongAnswer.unlessEqual(key + "!", client.callScript(sha, key, "!"), "EVALSHA");
        }
    }

    private void publish() throws InterruptedException {
        String channel = keys.one("channel");
        BlockingQueue<String> messages = new LinkedBlockingQueue<>();
        client.subscribe(channel, messages::add);
        client.publish(channel, "hello");
        WrongAnswer.unlessEqual("hello", messages.poll(5, TimeUnit.SECONDS), "the message");
    }

    private void blockingPop() throws InterruptedException {
        String list = keys.one("list-" + System.nanoTime()); // whatever an earlier run left behind is another list
        long started = System.nanoTime();
        WrongAnswer.unlessEqual(null, client.blockingPop(list, 1), "BLPOP of an empty list");
        double seconds = (System.nanoTime() - started) / 1e9;
        WrongAnswer.unless(seconds >= 0.9, "BLPOP of an empty list waited %.1f s in place of 1".formatted(seconds));
        client.push(list, "job");
        WrongAnswer.unlessEqual("job", client.blockingPop(list, 1), "BLPOP after RPUSH");
    }

    private void scan() {
        List<String> written = keys.spread(PIPELINED_KEYS, "scan");
        client.setAndGet(written);
        Set<String> found = client.scan();
        long there = written.stream().filter(found::contains).count();
        WrongAnswer.unless(
                there == written.size(), "SCAN found %d of %d keys".formatted(there, written.size()));
        WrongAnswer.unlessEqual(client.databaseSize(), (long) found.size(), "keys of a SCAN beside DBSIZE");
    }

    private void replicaRead() throws InterruptedException {
        String key = keys.one("replica");
        String value = Long.toString(System.nanoTime());
        client.set(key, value);
        long deadline = System.nanoTime() + REPLICATION.toNanos();
        String read = client.getFromReplica(key);
        while (!value.equals(read) && System.nanoTime() < deadline) {
            Thread.sleep(50);
            read = client.getFromReplica(key);
        }
        WrongAnswer.unlessEqual(value, read, "GET");
        WrongAnswer.unlessEqual("slave", client.roleWhereItReads(key), "the role of who reads");
    }
}
