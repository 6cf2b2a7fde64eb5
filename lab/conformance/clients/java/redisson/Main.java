/** The program of the client Redisson. */
final class Main {

    public static void main(String[] mode) throws Exception {
        Conformance.run(mode[0], "redisson", Main::open);
    }

    private static Client open() throws Exception {
        return new RedissonObjects(switch (System.getenv("LAB_WAY")) {
            case "envoy-resp2" -> EnvoyResp2.client();
            case "envoy-resp3" -> EnvoyResp3.client();
            default -> PerNode.client();
        });
    }
}
