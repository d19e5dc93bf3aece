// What a service provider does around the encryption: time, token, headers, HTTP.
// The encryption itself is the caller's: seal and open.
import { createHmac, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';

const NINE_HOURS = 9 * 60 * 60 * 1000;

/** run makes every call of the job on stdin and reports on stdout. */
export async function run(name, { seal, open }) {
  const job = JSON.parse(await text(process.stdin));
  const results = [];
  for (const call of job.calls) {
    try {
      results.push({ name: call.name, ...(await exchange(job, call, seal, open)) });
    } catch (error) {
      results.push({ name: call.name, error: String(error?.stack ?? error) });
    }
  }
  process.stdout.write(JSON.stringify({ client: `${name}, Node.js ${process.version}`, results }));
}

async function exchange(job, call, seal, open) {
  const { alg, enc } = call;
  const plaintext = Buffer.from(call.body, 'base64');
  const body = JSON.stringify({ encData: await seal(plaintext, { alg, enc }, job.serverPublicKey) });
  const headers = sign(job, call, body);
  const answer = await fetch(job.url + call.path, { method: 'POST', headers, body });
  const received = await answer.text();
  if (answer.status !== 200) {
    throw new Error(`status ${answer.status}: ${received}`);
  }
  const opened = await open(JSON.parse(received).encData, job.clientPrivateKey);
  return {
    token: headers['X-KM-Tran-Token'],
    correlationId: answer.headers.get('X-KM-Correlation-Id'),
    keyId: answer.headers.get('X-KM-Crypto-Key-Id'),
    alg: opened.header.alg,
    enc: opened.header.enc,
    answer: Buffer.from(opened.plaintext).toString('base64'),
  };
}

/** sign returns the headers of a body. The token covers the text that is sent. */
export function sign(job, call, body) {
  const now = new Date(Date.now() + NINE_HOURS).toISOString().replace(/\D/g, ''); // yyyyMMddHHmmssSSS in KST
  const mac = createHmac('sha256', job.secretKey).update(body, 'utf8').digest('base64');
  return {
    'Content-Type': 'application/json',
    Accept: 'application/json',
    'X-KM-User-AspId': job.aspId,
    'X-KM-Correlation-Id': `${now.slice(2, 14)}-${randomBytes(4).toString('hex').slice(1)}`,
    'X-KM-Access-Key': job.accessKey,
    'X-KM-Crypto-Key-Id': job.keyId,
    'X-KM-Tran-Token': `KMV1:${now.slice(0, call.timeDigits)}:${call.padded ? mac : mac.replace('=', '')}`,
    'X-KM-Tran-Time': now.slice(0, 14),
    'X-KM-Time-Zone': 'KST',
  };
}
