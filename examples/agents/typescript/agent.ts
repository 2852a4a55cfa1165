/** An agent that acts through the layer: one call for each of three answers. */
import { createClient, guard } from 'exequatur/sdk';

const { EXEQUATUR_URL: url = 'http://localhost:7373', EXEQUATUR_KEY: key = '' } = process.env;
const client = createClient({ url, key });

// A tool as agents' frameworks take them. Nothing of it runs here.
const append = guard(client, {
  target: 'notebook',
  operation: 'append',
  args: (text: string) => ({ text }),
});
await append('hello');
console.log('append: succeeded');

for (const pages of [3, 1000]) {
  const answer = await client.act(
    { target: 'notebook', operation: 'erase', args: { pages }, note: 'making room' },
    { wait: 0 },
  );
  switch (answer.kind) {
    case 'done':
      console.log(`erase ${String(pages)}: ${answer.state}, executed: ${answer.executed}`);
      break;
    case 'waiting':
    case 'refused':
    case 'unknown':
      console.log(`erase ${String(pages)}: ${answer.kind}, executed: ${answer.executed}`);
      console.log(`  ${answer.message}`);
      break;
    default:
      answer satisfies never;
  }
}
