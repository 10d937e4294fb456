// A TLS server that requires a client certificate; prints its port.
// usage: node server.js CERTIFICATE KEY CLIENT_CA [narrow|old]   narrow: in TLS 1.2 RSA alone, old: TLS 1.2 alone
const fs = require("node:fs");
const https = require("node:https");

const [cert, key, ca] = process.argv.slice(2, 5).map((path) => fs.readFileSync(path));
const kinds = {
  narrow: { ciphers: "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256" },
  old: { maxVersion: "TLSv1.2" },
};
const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true, ...kinds[process.argv[5]] };
const server = https.createServer(options, (_request, response) => response.end("ok"));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
