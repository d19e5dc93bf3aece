// A service provider that has no JWE package and puts a token together with
// Node's own crypto, step by step.
import { constants, createCipheriv, createDecipheriv, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto';
import { run } from './provider.mjs';

const OAEP_HASH = { 'RSA-OAEP': 'sha1', 'RSA-OAEP-256': 'sha256' };
const CIPHER = { A128GCM: 'aes-128-gcm', A256GCM: 'aes-256-gcm' };
const KEY_BYTES = { A128GCM: 16, A256GCM: 32 };
const TAG_BYTES = 16;

const oaep = (key, alg) => ({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: OAEP_HASH[alg] });

function seal(plaintext, { alg, enc }, publicKey) {
  const header = Buffer.from(JSON.stringify({ enc, alg })).toString('base64url');
  const contentKey = randomBytes(KEY_BYTES[enc]);
  const encryptedKey = publicEncrypt(oaep(publicKey, alg), contentKey);
  const iv = randomBytes(12);
  const cipher = createCipheriv(CIPHER[enc], contentKey, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(header, 'ascii'));
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  const parts = [encryptedKey, iv, ciphertext, cipher.getAuthTag()];
  return [header, ...parts.map((part) => part.toString('base64url'))].join('.');
}

function open(token, privateKey) {
  const [encodedHeader, ...parts] = token.split('.');
  const [encryptedKey, iv, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  const header = JSON.parse(Buffer.from(encodedHeader, 'base64url').toString('utf8'));
  const contentKey = privateDecrypt(oaep(privateKey, header.alg), encryptedKey);
  const decipher = createDecipheriv(CIPHER[header.enc], contentKey, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(encodedHeader, 'ascii'));
  decipher.setAuthTag(tag);
  return { header, plaintext: Buffer.concat([decipher.update(ciphertext), decipher.final()]) };
}

await run('node:crypto', { seal, open });
