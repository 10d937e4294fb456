// A TLS server that requires a client certificate; prints its port.
// usage: server CERTIFICATE KEY CLIENT_CA [narrow|old]   narrow: in TLS 1.2 RSA alone, old: TLS 1.2 alone
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	certificate, err := tls.LoadX509KeyPair(os.Args[1], os.Args[2])
	must(err)
	encoded, err := os.ReadFile(os.Args[3])
	must(err)
	clientCAs := x509.NewCertPool()
	clientCAs.AppendCertsFromPEM(encoded)
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clientCAs,
	}
	switch append(os.Args, "")[4] {
	case "narrow":
		config.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	case "old":
		config.MaxVersion = tls.VersionTLS12
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	must(err)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		must(err)
		go func() {
			defer connection.Close()
			received := make([]byte, 4096)
			if _, err := connection.Read(received); err == nil {
				fmt.Fprint(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
			}
		}()
	}
}
