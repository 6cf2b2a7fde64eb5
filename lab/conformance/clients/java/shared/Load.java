import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/** Writes all the time until stdin ends, then reads all back: what a user would notice of a fault, and what was lost. */
final class Load {

    private static final int WORKERS = 4;
    private static final int KEYS = 50;
    private static final long PACE_MILLIS = 20; // 50 writes a second for each worker
    private static final long PAUSE_MILLIS = 100;
    private static final long REPORT_MILLIS = 250;
    private static final long READ_BACK_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final int SHOWN_ERRORS = 3;

    private final Client client;
    private final List<Worker> workers;
    private volatile boolean ended;

    Load(Client client, SlotKeys keys) {
        this.client = client;
        List<String> all = keys.spread(WORKERS * KEYS, "load");
        // every fourth key is a worker's own, so that each worker writes to all shards
        this.workers = IntStream.range(0, WORKERS)
                .mapToObj(first -> new Worker(IntStream.range(0, KEYS).mapToObj(i -> all.get(i * WORKERS + first)).toList()))
                .toList();
    }

    void run() throws InterruptedException {
        List<Thread> threads = workers.stream().map(Load::started).toList();
        Thread end = started(this::awaitEndOfInput);
        while (end.isAlive()) {
            Json.print(progress());
            end.join(REPORT_MILLIS);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        Json.print(result());
    }

    private static Thread started(Runnable task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void awaitEndOfInput() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (IOException closed) {
            // as good an end as any
        } finally {
            ended = true;
        }
    }

    private Map<String, Object> progress() {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("acknowledged", workers.stream().mapToLong(worker -> worker.writes).sum());
        figures.put("errors", workers.stream().mapToLong(worker -> worker.errors).sum());
        figures.put("workers", workers.stream().map(worker -> worker.writes).toList());
        return figures;
    }

    private Map<String, Object> result() throws InterruptedException {
        long deadline = System.nanoTime() + READ_BACK_NANOS;
        long lost = 0;
        for (Worker worker : workers) {
            for (Map.Entry<String, Long> write : worker.acknowledged.entrySet()) {
                lost += worker.readBack(write.getKey(), deadline) < write.getValue() ? 1 : 0;
            }
        }
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("final", true);
        figures.putAll(progress());
        figures.remove("workers");
        figures.put("lost", lost);
        figures.put("longest_gap", workers.stream().mapToDouble(worker -> worker.longestGap).max().orElse(0));
        figures.put("last_errors", workers.stream().map(worker -> worker.texts).flatMap(Collection::stream)
                .distinct().limit(SHOWN_ERRORS).toList());
        return figures;
    }

    /** One thread's writes; the value is a counter that no run repeats. */
    private final class Worker implements Runnable {

        private final List<String> keys;
        private final Map<String, Long> acknowledged = new LinkedHashMap<>();
        private final Set<String> texts = new LinkedHashSet<>();
        private volatile long writes;
        private volatile long errors;
        private double longestGap;
        private long counter = System.currentTimeMillis() * 1000;

        Worker(List<String> keys) {
            this.keys = keys;
        }

        @Override
        public void run() {
            long waitingSince = System.nanoTime();
            for (int i = 0; !ended; i = (i + 1) % keys.size()) {
                boolean written = write(keys.get(i));
                longestGap = Math.max(longestGap, (System.nanoTime() - waitingSince) / 1e9);
                pause(written ? PACE_MILLIS : PAUSE_MILLIS);
                if (written) {
                    waitingSince = System.nanoTime(); // its own pace is no gap
                }
            }
        }

        private boolean write(String key) {
            counter++;
            try {
                client.set(key, Long.toString(counter));
                acknowledged.put(key, counter);
                writes++;
                return true;
            } catch (RuntimeException error) {
                errors++;
                note(error);
                return false;
            }
        }

        /** What the key has now; an older value than any when it cannot be read in time. */
        private long readBack(String key, long deadline) throws InterruptedException {
            do {
                try {
                    String value = client.get(key);
                    return value == null ? -1 : Long.parseLong(value);
                } catch (RuntimeException error) {
                    note(error);
                    Thread.sleep(PAUSE_MILLIS);
                }
            } while (System.nanoTime() < deadline);
            return -1;
        }

        private void note(RuntimeException error) {
            String text = Conformance.said(error);
            texts.remove(text);
            texts.add(text);
            if (texts.size() > SHOWN_ERRORS) {
                texts.remove(texts.iterator().next());
            }
        }

        private void pause(long millis) {
            try {
                Thread.sleep(millis);
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
