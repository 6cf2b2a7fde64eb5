/** The program of the client Lettuce. */
final class Main {

    public static void main(String[] mode) throws Exception {
        Conformance.run(mode[0], "lettuce", Main::open);
    }

    private static Client open() {
        return System.getenv("LAB_WAY").startsWith("envoy")
                ? LettuceSingle.of(Envoy.client())
                : LettuceCluster.of(PerNode.client());
    }
}
