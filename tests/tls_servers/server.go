// A TLS server that requires a client certificate. usage: server CERTIFICATE KEY CLIENT_CA; prints its port.
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
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    clientCAs,
	})
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
