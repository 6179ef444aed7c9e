/**
 * `npm run demo [-- FILE]`: reads the text of a page (its own invoice, or your PNG or JPEG) with PP-OCRv4, once on
 * WebAssembly and once on the pure-JS backend, and says how long each stage took.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { convertChannels, decodeImage, drawPolygon, encodePng, type Image } from 'convlet/images';
import { boxesOf, type DetectedBox, detectionInput } from './detect.ts';
import { linesOf } from './layout.ts';
import { detectionModel, type Network, networkOf, readAlphabet, recognitionModel } from './network.ts';
import { type RecognisedText, recognise } from './recognise.ts';

type BackendName = 'wasm' | 'js';

/** Pure JS reads no more boxes than this, so that a full page of the user's does not take minutes. */
const maxBoxesOnJs = 60;

/** Milliseconds per stage. */
type Times = Record<string, number>;

interface Networks {
  detection: Network;
  recognition: Network;
  dispose(): void;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'no-js': { type: 'boolean' }, output: { type: 'string', default: 'ocr-result.png' } },
  });
  const file = positionals[0] ?? fileURLToPath(new URL('page.png', import.meta.url));
  const bytes = new Uint8Array(await readFile(file));
  const start = performance.now();
  const image = await decodeImage(bytes, { channels: 3 });
  const decodeTime = performance.now() - start;
  const alphabet = await readAlphabet();

  progress('loading the networks');
  const wasmTimes: Times = { decode: decodeTime };
  const wasm = await timed(wasmTimes, 'load networks', () => loadNetworks('wasm'));
  // The first run plans for its shapes and lets the runtime compile: the second one is timed.
  progress('WebAssembly: first run');
  const found = await detectTimed(image, wasm, {});
  await recognise(image, boxesIn(found), wasm.recognition, alphabet);
  progress('WebAssembly: timed run');
  const items = await detectTimed(image, wasm, wasmTimes);
  const texts = await timed(wasmTimes, 'recognise', () => recognise(image, boxesIn(items), wasm.recognition, alphabet));
  clearProgress();

  printLines(items, texts);
  await writeFile(values.output, encodePng(withBoxes(image, items)));
  console.log(`\nBoxes drawn in ${resolve(values.output)}\n`);

  if (!values['no-js']) await compareWithJs(image, items, texts, wasm, wasmTimes, alphabet);
  else printTimes({ wasm: wasmTimes });
  wasm.dispose();
}

/** Detects and reads once more on the pure-JS backend, and prints both backends' times. */
async function compareWithJs(
  image: Image,
  items: DetectedBox[],
  texts: RecognisedText[],
  wasm: Networks,
  wasmTimes: Times,
  alphabet: string[],
): Promise<void> {
  const jsTimes: Times = { decode: wasmTimes.decode };
  progress('pure JS: loading');
  const js = await timed(jsTimes, 'load networks', () => loadNetworks('js'));
  const boxes = boxesIn(items).slice(0, maxBoxesOnJs);
  // One box lets the engine compile the loops; a whole first run would only double the waiting.
  await recognise(image, boxes.slice(0, 1), js.recognition, alphabet);
  progress('pure JS: detection');
  const jsItems = await detectTimed(image, js, jsTimes);
  const jsTexts = await timed(jsTimes, 'recognise', () =>
    recognise(image, boxes, js.recognition, alphabet, (done) => progress(`pure JS: ${done} of ${boxes.length} boxes`)),
  );
  clearProgress();
  if (boxes.length < items.length) {
    console.log(`Recognition is timed on the first ${boxes.length} of ${items.length} boxes.`);
    await timed(wasmTimes, 'recognise', () => recognise(image, boxes, wasm.recognition, alphabet));
  }
  printTimes({ wasm: wasmTimes, js: jsTimes });
  const same = jsItems.length === items.length && jsTexts.every(({ text }, i) => text === texts[i].text);
  console.log(`\nBoth backends found ${same ? 'the same boxes and texts' : 'DIFFERENT boxes or texts'}.`);
  js.dispose();
}

async function loadNetworks(backend: BackendName): Promise<Networks> {
  const { load } = await import('convlet');
  const detection = await load(detectionModel, { backend });
  const recognition = await load(recognitionModel, { backend });
  return {
    detection: networkOf(detection),
    recognition: networkOf(recognition),
    dispose() {
      detection.dispose();
      recognition.dispose();
    },
  };
}

async function detectTimed(image: Image, { detection }: Networks, times: Times): Promise<DetectedBox[]> {
  const input = await timed(times, 'detect: prepare', async () => detectionInput(image));
  const output = await timed(times, 'detect: network', () => detection(input.data, input.shape));
  return timed(times, 'detect: boxes', async () => boxesOf(output, image));
}

async function timed<T>(times: Times, stage: string, run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await run();
  times[stage] = performance.now() - start;
  return result;
}

function boxesIn(items: readonly DetectedBox[]): DetectedBox['box'][] {
  return items.map(({ box }) => box);
}

function printLines(items: readonly DetectedBox[], texts: readonly RecognisedText[]): void {
  const lines = linesOf(items.map(({ box }, i) => ({ box, ...texts[i] })).filter(({ text }) => text !== ''));
  console.log(lines.length === 0 ? 'No text found.' : 'confidence  text');
  for (const line of lines) {
    const least = Math.min(...line.map(({ confidence }) => confidence));
    console.log(`${least.toFixed(3).padStart(10)}  ${line.map(({ text }) => text).join('  ')}`);
  }
}

function withBoxes(image: Image, items: readonly DetectedBox[]): Image {
  const drawn = convertChannels(image, 3);
  const copy = { ...drawn, data: drawn.data.slice() };
  for (const { box } of items) drawPolygon(copy, box, [220, 30, 30], 2);
  return copy;
}

function printTimes({ wasm, js }: { wasm: Times; js?: Times }): void {
  const stages = Object.keys(wasm);
  const total = (times: Times) => stages.slice(2).reduce((sum, stage) => sum + times[stage], 0);
  const row = (stage: string, wasmTime: number, jsTime: number | undefined, compare: boolean) => {
    const columns = [stage.padEnd(18), milliseconds(wasmTime)];
    if (jsTime !== undefined)
      columns.push(milliseconds(jsTime), compare ? `${(jsTime / wasmTime).toFixed(1)} ×`.padStart(8) : '');
    console.log(columns.join('').trimEnd());
  };
  console.log(
    'stage'.padEnd(18) + 'WebAssembly'.padStart(14) + (js ? 'pure JS'.padStart(14) + 'ratio'.padStart(8) : ''),
  );
  for (const stage of stages) {
    // Only the networks run on a backend; the other stages are the same code on both.
    row(stage, wasm[stage], js?.[stage], stage === 'detect: network' || stage === 'recognise');
  }
  row('detect + recognise', total(wasm), js && total(js), true);
}

function milliseconds(time: number): string {
  return `${time.toFixed(0)} ms`.padStart(14);
}

/** A line on standard error that the next one replaces; nothing where no one is looking. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text} …`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
}

main().catch((error: unknown) => {
  clearProgress();
  const expected = error instanceof Error && (error.name === 'ConvletError' || 'code' in error);
  console.error(expected ? `demo: ${(error as Error).message}` : error);
  process.exitCode = 1;
});
