#!/usr/bin/env node
// The one entry of the command. Plain JavaScript that any Node can parse, so that an older one says
// in one line what is missing, and nothing else is loaded.
const NODE_MINIMUM = [24, 15];
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor < NODE_MINIMUM[1])) {
  console.error(
    `exequatur: needs Node ${NODE_MINIMUM.join('.')} or newer, and this is ${process.versions.node}`,
  );
  process.exit(1);
}
const { existsSync, readFileSync } = await import('node:fs');
const { enableCompileCache } = await import('node:module');
const { fileURLToPath } = await import('node:url');
// A checkout runs its source; the published package has none and runs what was compiled.
const source = existsSync(new URL('../src/cli/main.ts', import.meta.url));
// A third of a start is spent on compiling: a checkout keeps what was compiled, beside its dependencies.
if (source)
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/exequatur', import.meta.url)));
const at = (name) =>
  new URL(source ? `../src/${name}.ts` : `../dist/${name}.js`, import.meta.url).href;
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const { main } = await import(at('cli/main')).catch((error) => {
  if (process.env.EXEQUATUR_DEBUG) throw error;
  console.error(`exequatur: cannot be loaded: ${String(error.message).split('\n')[0]}`);
  console.error('hint: install its dependencies with `npm ci`, or install the package again');
  process.exit(1);
});
// The command never imports the layer; it is handed over here, and loaded only where it is run.
await main({ version, server: () => import(at('server/main')) });
