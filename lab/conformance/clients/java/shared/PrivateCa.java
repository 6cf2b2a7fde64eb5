import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;

/** A trust store for a private CA. ElastiCache needs none: the JVM's own trust store has Amazon's CA. */
final class PrivateCa {

    static final String PASSWORD = "changeit"; // keytool's; there is nothing secret in a certificate

    private PrivateCa() {}

    /** The file that {@code keytool -importcert} would make; deleted when the program ends. */
    static File trustStore(String pemFile) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(Path.of(pemFile))) {
            store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(pem));
        }
        File file = File.createTempFile("private-ca", ".p12");
        file.deleteOnExit();
        try (OutputStream out = Files.newOutputStream(file.toPath())) {
            store.store(out, PASSWORD.toCharArray());
        }
        return file;
    }
}
