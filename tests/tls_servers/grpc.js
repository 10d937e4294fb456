// A gRPC backend that answers with what reached it, as JSON in place of a message: the headers and the peer's subject.
// usage: node grpc.js [CERTIFICATE KEY CLIENT_CA]; prints its port. Without files it speaks HTTP/2 in the clear.
const fs = require("node:fs");
const http2 = require("node:http2");

const [cert, key, ca] = process.argv.slice(2, 5).map((path) => fs.readFileSync(path));
const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
const server = cert ? http2.createSecureServer(options) : http2.createServer();
server.on("stream", (stream, headers) => {
  const subject = cert ? stream.session.socket.getPeerCertificate().subject : null;
  const saw = Buffer.from(JSON.stringify({ headers, subject }));
  const own = { ":status": 200, "content-type": "application/grpc", "content-length": saw.length };
  stream.respond(own, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(saw);
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
