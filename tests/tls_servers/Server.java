// A TLS server that requires a client certificate; prints its port.
// usage: java Server.java SERVER_P12 CLIENT_CA [narrow|old]   narrow: in TLS 1.2 RSA alone, old: TLS 1.2 alone
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.TrustManagerFactory;

public class Server {
    private static final char[] PASSWORD = "not a secret".toCharArray();

    public static void main(String[] arguments) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(new FileInputStream(arguments[0]), PASSWORD);
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, PASSWORD);

        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        int number = 0;
        for (Certificate ca : CertificateFactory.getInstance("X.509").generateCertificates(new FileInputStream(arguments[1]))) {
            trusted.setCertificateEntry("ca" + number++, ca);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);

        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        var server = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0, 10, InetAddress.getLoopbackAddress());
        server.setNeedClientAuth(true);
        String kind = arguments.length > 2 ? arguments[2] : "";
        if (kind.equals("narrow")) {
            server.setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"});
        } else if (kind.equals("old")) {
            server.setEnabledProtocols(new String[] {"TLSv1.2"});
        }
        System.out.println(server.getLocalPort());
        while (true) {
            try (var connection = server.accept()) {
                if (connection.getInputStream().read(new byte[4096]) > 0) {
                    connection.getOutputStream().write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok".getBytes());
                    connection.getOutputStream().flush();
                }
            } catch (IOException refused) {
                // the client was told by an alert
            }
        }
    }
}
