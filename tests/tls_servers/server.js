// A TLS server that requires a client certificate. usage: node server.js CERTIFICATE KEY CLIENT_CA; prints its port.
const fs = require("node:fs");
const https = require("node:https");

const [cert, key, ca] = process.argv.slice(2, 5).map((path) => fs.readFileSync(path));
const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
const server = https.createServer(options, (_request, response) => response.end("ok"));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
