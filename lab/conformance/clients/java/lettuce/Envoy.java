import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import java.io.File;
import java.time.Duration;

final class Envoy {

    static RedisClient client() {
        RedisURI endpoint = RedisURI.Builder
                .redis(System.getenv("LAB_ENDPOINT"), Integer.parseInt(System.getenv("LAB_PORT")))
                .withSsl(true)
                .withAuthentication(System.getenv("LAB_USERNAME"), System.getenv("LAB_PASSWORD"))
                .withTimeout(Duration.ofSeconds(2))
                .build();
        RedisClient client = RedisClient.create(endpoint);
        client.setOptions(ClientOptions.builder()
                .sslOptions(SslOptions.builder().trustManager(new File(System.getenv("LAB_CA_FILE"))).build())
                .build());
        return client;
    }
}
