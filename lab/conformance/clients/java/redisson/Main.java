/** The program of the client Redisson. */
final class Main {

    public static void main(String[] mode) throws Exception {
        Conformance.run(mode[0], "redisson", Main::open);
    }

    private static Client open() throws Exception {
        return new RedissonObjects(
                System.getenv("LAB_WAY").startsWith("envoy") ? Envoy.client() : PerNode.client());
    }
}
