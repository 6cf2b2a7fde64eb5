import java.security.Security;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

final class EnvoyResp2 {

    static RedissonClient client() throws Exception {
        Security.setProperty("networkaddress.cache.ttl", "5");
        Config config = new Config()
                .setUsername(System.getenv("LAB_USERNAME"))
                .setPassword(System.getenv("LAB_PASSWORD"))
                .setSslTruststore(PrivateCa.trustStore(System.getenv("LAB_CA_FILE")).toURI().toURL())
                .setSslTruststorePassword(PrivateCa.PASSWORD);
        config.useSingleServer()
                .setAddress("rediss://%s:%s".formatted(System.getenv("LAB_ENDPOINT"), System.getenv("LAB_PORT")));
        return Redisson.create(config);
    }
}
