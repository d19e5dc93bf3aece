// A service provider that encrypts with the npm package jose.
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader, importPKCS8, importSPKI } from 'jose';
import { run } from './provider.mjs';

globalThis.crypto ??= webcrypto; // jose needs it; Node.js 18 of Debian 12 has it under another name

async function seal(plaintext, { alg, enc }, publicKey) {
  return new CompactEncrypt(plaintext)
    .setProtectedHeader({ enc, alg })
    .encrypt(await importSPKI(publicKey, alg));
}

async function open(token, privateKey) {
  const { alg } = decodeProtectedHeader(token); // Web Crypto binds a key to its hash
  const { plaintext, protectedHeader } = await compactDecrypt(token, await importPKCS8(privateKey, alg));
  return { header: protectedHeader, plaintext };
}

const { version } = JSON.parse(readFileSync(new URL('node_modules/jose/package.json', import.meta.url)));
await run(`jose ${version}`, { seal, open });
