import java.util.Objects;

/** The client answered, but not what it should have. */
final class WrongAnswer extends RuntimeException {

    private static final long serialVersionUID = 1L;
    private static final int SHOWN = 120;

    private WrongAnswer(String message) {
        super(message);
    }

    static void unless(boolean right, String message) {
        if (!right) {
            throw new WrongAnswer(message);
        }
    }

    static void unlessEqual(Object expected, Object got, String what) {
        unless(Objects.equals(expected, got), "%s: %s in place of %s".formatted(what, shown(got), shown(expected)));
    }

    private static String shown(Object value) {
        String text = String.valueOf(value);
        return text.length() <= SHOWN ? text : text.substring(0, SHOWN) + "…";
    }
}
