/**
 * Plays the demonstration: sets up real things in a temporary folder, runs the layer against them, and
 * judges every scene at the target. Exits 0 only if each ended as it should.
 *
 * `node examples/demo/main.ts [--json]`: with `--json` one object a line: scene, expected, got, ok.
 */
import { parseArgs, styleText } from 'node:util';
import { SCENES, type Ended, type Scene } from './scenes/scenes.ts';
import { Stage } from './scenes/stage.ts';

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

let interrupted = false;

process.exitCode = await play();

async function play(): Promise<number> {
  if (!options.json)
    console.log('\nThe layer between agents and the real world, played on real things.\n');
  const opening = Stage.open();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(opening));
  const stage = await opening;
  let failed = 0;
  try {
    for (const scene of SCENES) {
      const ended = await playScene(stage, scene);
      // What a scene says whose stage was taken away says nothing.
      if (interrupted) return 1;
      const ok = ended.got === scene.expected;
      if (!ok) failed++;
      show(scene, ended, ok);
    }
  } finally {
    await stage.close();
  }
  if (!options.json) {
    const all = String(SCENES.length);
    const line = `${String(SCENES.length - failed)} of ${all} scenes ended as they should`;
    console.log(paint(failed === 0 ? 'green' : 'red', line));
  }
  return failed === 0 ? 0 : 1;
}

/** Takes the stage down, so that nothing of it outlives this process. */
function end(opening: Promise<Stage>): void {
  interrupted = true;
  opening
    .then((stage) => stage.close())
    .finally(() => process.exit(1))
    // Whatever could not be taken down, the process ends.
    .catch(() => undefined);
}

async function playScene(stage: Stage, scene: Scene): Promise<Ended> {
  try {
    return await scene.play(stage);
  } catch (error) {
    return { lines: [], got: `broke: ${error instanceof Error ? error.message : 'no error'}` };
  }
}

function show(scene: Scene, ended: Ended, ok: boolean): void {
  if (options.json) {
    const { name, expected } = scene;
    console.log(JSON.stringify({ scene: name, expected, got: ended.got, ok }));
    return;
  }
  console.log(`${ok ? paint('green', '✓') : paint('red', '✗')} ${paint('bold', scene.name)}`);
  console.log(`  ${scene.title}`);
  for (const line of ended.lines) console.log(paint('dim', `    ${line}`));
  console.log(`  → ${ended.got}`);
  if (!ok) console.log(paint('red', `  expected: ${scene.expected}`));
  console.log('');
}

function paint(style: 'green' | 'red' | 'bold' | 'dim', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
