// What a program in Node does with acme-client: an account, a certificate by http-01, renewal, another account
// key, revocation.
// usage: node acme_client.js DIRECTORY KID MAC_KEY TOKENS NAME    (TOKENS: where a web server reads key authorizations)
'use strict';

const fs = require('fs');
const path = require('path');
const acme = require('acme-client');

async function main([directoryUrl, kid, hmacKey, tokens, name]) {
    const externalAccountBinding = { kid, hmacKey };
    const accountKey = await acme.crypto.createPrivateEcdsaKey();
    const client = new acme.Client({ directoryUrl, accountKey, externalAccountBinding });
    const [key, csr] = await acme.crypto.createCsr({ altNames: [name] });
    const wish = {
        csr,
        email: 'ops@example.com',
        termsOfServiceAgreed: true,
        skipChallengeVerification: true, // it would look at port 80
        challengePriority: ['http-01'],
        challengeCreateFn: async (_, challenge, answer) => fs.writeFileSync(path.join(tokens, challenge.token), answer),
        challengeRemoveFn: async (_, challenge) => fs.unlinkSync(path.join(tokens, challenge.token)),
    };
    await client.auto(wish);
    const chain = await client.auto(wish); // once more, as it renews
    fs.writeFileSync('chain.pem', chain);
    fs.writeFileSync('key.pem', key, { mode: 0o600 });
    await client.updateAccountKey(await acme.crypto.createPrivateEcdsaKey());
    await client.updateAccount({ contact: ['mailto:team@example.com'] });
    await client.revokeCertificate(chain, { reason: 4 });
}

main(process.argv.slice(2)).catch((error) => {
    console.error(error);
    process.exit(1);
});
