// A client that streams its bodies: node:https with keep-alive and write(), so that
// each request goes in chunks over one connection.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { sign } from './provider.mjs';

const job = JSON.parse(await text(process.stdin));
const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: readFileSync(job.caFile) });
const results = [];
for (const call of job.calls) {
  try {
    results.push({ name: call.name, ...(await exchange(call)) });
  } catch (error) {
    results.push({ name: call.name, error: String(error?.stack ?? error) });
  }
}
agent.destroy();
process.stdout.write(JSON.stringify({ client: `node:https, Node.js ${process.version}`, results }));

function exchange(call) {
  const body = Buffer.from(call.body, 'base64');
  return new Promise((resolve, reject) => {
    const options = { agent, method: 'POST', headers: sign(job, call, body) };
    const request = https.request(job.url + call.path, options, async (answer) => {
      const received = await text(answer);
      if (answer.statusCode !== 200) {
        return reject(new Error(`status ${answer.statusCode}: ${received}`));
      }
      resolve({ answer: Buffer.from(received).toString('base64') });
    });
    request.on('error', reject);
    request.write(body.subarray(0, 5)); // no length was declared
    request.end(body.subarray(5));
  });
}
