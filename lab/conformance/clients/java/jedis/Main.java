/** The program of the client Jedis. */
final class Main {

    public static void main(String[] mode) throws Exception {
        Conformance.run(mode[0], "jedis", Main::open);
    }

    private static Client open() throws Exception {
        return System.getenv("LAB_WAY").startsWith("envoy")
                ? new JedisSingle(Envoy.client())
                : new JedisCluster(PerNode.client());
    }
}
