import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * A client's program: {@code commands}, {@code connect} or {@code load}, a line of JSON for each result.
 *
 * <p>A behaviour that fails is a result, not an exit code. Each has a client of its own: a stuck one spoils no other.
 */
final class Conformance {

    private static final long LIMIT_SECONDS = 20;
    private static final long START_SECONDS = 30;
    private static final int CAUSES = 20;

    private final String name;
    private final Callable<Client> opener;

    private Conformance(String name, Callable<Client> opener) {
        this.name = name;
        this.opener = opener;
    }

    static void run(String mode, String name, Callable<Client> opener) throws Exception {
        Conformance program = new Conformance(name, opener);
        switch (mode) {
            case "commands" -> program.commands();
            case "connect" -> program.connect();
            case "load" -> program.load();
            default -> throw new IllegalArgumentException("mode is " + mode + "; allowed: commands, connect, load");
        }
        System.exit(0); // also when a client's thread still hangs
    }

    private void commands() throws Exception {
        SlotKeys keys = SlotKeys.read(name);
        Behaviours.all().forEach((behaviour, check) -> report(behaviour, () -> {
            try (Client client = opener.call()) {
                check.run(new Behaviours(client, keys));
            }
            return null;
        }));
    }

    private void connect() {
        report("connect", () -> {
            try (Client client = opener.call()) {
                client.set(name + ":connect", "value");
                WrongAnswer.unlessEqual("value", client.get(name + ":connect"), "GET");
            }
            return null;
        });
    }

    private void load() throws Exception {
        try (Client client = openPatiently()) {
            new Load(client, SlotKeys.read(name)).run();
        }
    }

    /** On a machine that starts several JVMs at once, a client's first connection may take longer than its time-out. */
    private Client openPatiently() throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (true) {
            try {
                return opener.call();
            } catch (Exception error) {
                if (System.nanoTime() > deadline) {
                    throw error;
                }
            }
        }
    }

    private static void report(String behaviour, Callable<Void> check) {
        long started = System.nanoTime();
        String failure = failure(check);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("behaviour", behaviour);
        line.put("outcome", failure == null ? "pass" : "fail");
        line.put("detail", failure == null ? "" : failure);
        line.put("seconds", (System.nanoTime() - started) / 1e9);
        Json.print(line);
    }

    /** What went wrong, null when nothing did. */
    private static String failure(Callable<Void> check) {
        FutureTask<Void> task = new FutureTask<>(check);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (TimeoutException limit) {
            task.cancel(true);
            return "no answer in " + LIMIT_SECONDS + " s";
        } catch (ExecutionException error) {
            return said(error.getCause());
        } catch (InterruptedException stop) {
            throw new IllegalStateException(stop);
        }
    }

    /** The error as its user sees it, and where it began: among its causes, or among what it suppressed. */
    static String said(Throwable error) {
        Throwable root = root(error);
        boolean included = shown(error).contains(String.valueOf(root.getMessage()));
        return included ? shown(root) : shown(error) + " <- " + shown(root);
    }

    /** Redisson's errors may suppress one another in a circle, so the way down is limited. */
    private static Throwable root(Throwable error) {
        Throwable found = error;
        for (int depth = 0; depth < CAUSES; depth++) {
            Throwable shown = found;
            found = Stream.concat(Stream.ofNullable(shown.getCause()), Arrays.stream(shown.getSuppressed()))
                    .findFirst()
                    .orElse(shown);
        }
        return found;
    }

    private static String shown(Throwable error) {
        return error instanceof WrongAnswer
                ? error.getMessage()
                : error.getClass().getSimpleName() + ": " + error.getMessage();
    }
}
