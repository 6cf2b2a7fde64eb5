import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** Keys in chosen slots, by the hash tags of the file LAB_SLOT_KEYS: its i-th line has the i-th slot. */
record SlotKeys(List<String> tags, String client) {

    static final int SLOTS = 16384;

    static SlotKeys read(String client) throws IOException {
        return new SlotKeys(Files.readAllLines(Path.of(System.getenv("LAB_SLOT_KEYS"))), client);
    }

    /** `count` keys in evenly spaced slots, and so in all shards. */
    List<String> spread(int count, String suffix) {
        return IntStream.range(0, count).mapToObj(i -> key(i * SLOTS / count, suffix)).toList();
    }

    /** One key in any slot. */
    String one(String suffix) {
        return key(SLOTS / 2, suffix);
    }

    private String key(int slot, String suffix) {
        return "{%s}:%s:%s".formatted(tags.get(slot), client, suffix);
    }
}
