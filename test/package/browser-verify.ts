/** Runs the built verifier in a real Chromium, as a page would load it: by an import map, without a bundler. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../architecture/source.ts';
import { startChromium } from '../fixtures/chromium.ts';

/** What a page is asked to verify, in base64. */
export interface BrowserGiven {
  readonly policy: string;
  readonly receipts: readonly string[];
  readonly ledger: string;
}

/** What it said: the status of each receipt, then of the ledger. */
export async function verifiedInBrowser(
  dist: string,
  given: BrowserGiven,
): Promise<readonly string[]> {
  const server = await serve(join(dist, 'browser'));
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    const { port } = addressOf(server);
    // Ed25519 in WebCrypto needs a secure context, which loopback is.
    await page.goto(`http://localhost:${String(port)}/`);
    const told = await page.evaluate(`(${RUN})(${JSON.stringify(given)})`);
    if (!Array.isArray(told)) throw new Error(String(told));
    return told.map(String);
  } finally {
    await browser.close();
    server.close();
  }
}

const PAGE = `<!doctype html><script type="importmap">
{"imports":{"@noble/hashes/":"/noble/","exequatur/verify":"/dist/ledger/verify.js"}}
</script>`;

const RUN = `async ({ policy, receipts, ledger }) => {
  const { readTrustPolicy, verifyExport, verifyReceipt } = await import('exequatur/verify');
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const trust = { policy: readTrustPolicy(bytes(policy)), now: Date.now() };
  const told = [];
  for (const receipt of receipts) told.push((await verifyReceipt(bytes(receipt), trust)).status);
  const stream = new Blob([bytes(ledger)]).stream();
  return [...told, (await verifyExport(stream, trust)).status];
}`;

async function serve(folder: string): Promise<Server> {
  const server = createServer(({ url = '/' }, response) => {
    const [, root, path = ''] = /^\/(dist|noble)\/([\w./-]+)$/u.exec(url) ?? [];
    if (root === undefined) {
      response.setHeader('content-type', 'text/html').end(PAGE);
      return;
    }
    const from = root === 'dist' ? folder : join(ROOT, 'node_modules/@noble/hashes');
    response.setHeader('content-type', 'text/javascript').end(readFileSync(join(from, path)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return address;
}
