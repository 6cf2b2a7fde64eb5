import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** What the behaviours ask of a client: each method does it as the client's users do, and throws what they would see. */
interface Client extends AutoCloseable {

    void set(String key, String value);

    String get(String key);

    /** Sets each key to its own name and gets it, all in one pipeline; the answers to the GETs in their order. */
    List<String> setAndGet(List<String> keys);

    /** SET of both keys, then GET of both, in MULTI and EXEC; EXEC's answers to the GETs. The keys have one slot. */
    List<String> transaction(String first, String second, String value);

    /** SCRIPT LOAD wherever the script may be called; its SHA1. */
    String loadScript(String script);

    String callScript(String sha, String key, String argument);

    /** Returns once the subscription holds. */
    void subscribe(String channel, Consumer<String> onMessage);

    void publish(String channel, String message);

    void push(String list, String item);

    /** BLPOP; null when nothing came. */
    String blockingPop(String list, int seconds) throws InterruptedException;

    long databaseSize();

    Set<String> scan();

    /** GET with the client's own option for reads from replicas. */
    String getFromReplica(String key);

    /** The role that a read-only script sees where {@link #getFromReplica} reads: "slave" on a replica. */
    String roleWhereItReads(String key);

    @Override
    void close();
}
