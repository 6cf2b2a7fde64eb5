import java.security.Security;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;
import org.redisson.config.Protocol;

final class Envoy {

    static RedissonClient client() throws Exception {
        Security.setProperty("networkaddress.cache.ttl", "5");
        Config config = new Config()
                .setProtocol("envoy-resp3".equals(System.getenv("LAB_WAY")) ? Protocol.RESP3 : Protocol.RESP2) // the default
                .setUsername(System.getenv("LAB_USERNAME"))
                .setPassword(System.getenv("LAB_PASSWORD"))
                .setSslTruststore(PrivateCa.trustStore(System.getenv("LAB_CA_FILE")).toURI().toURL())
                .setSslTruststorePassword(PrivateCa.PASSWORD);
        config.useSingleServer()
                .setAddress("rediss://%s:%s".formatted(System.getenv("LAB_ENDPOINT"), System.getenv("LAB_PORT")));
        return Redisson.create(config);
    }
}
