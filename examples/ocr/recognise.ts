import { convertChannels, type Image, type ImageTensor, imageToTensor, resizeImage } from 'convlet/images';
import { type Box, cutOut, turnLeft } from './geometry.ts';
import type { Network } from './network.ts';
import { addSpaces } from './spaces.ts';

/** The network's input height, and the steps in which its width grows. */
const lineHeight = 48;
const widthStep = 160;
/** The widest input: longer lines are compressed to it. */
const maxWidth = 3200;
/** How many lines of one width go through the network at a time. */
const batchSize = 8;

export interface RecognisedText {
  text: string;
  /** Mean probability of the characters, 0 to 1; 0 for an empty text. */
  confidence: number;
}

/**
 * Reads the text in each box, in the order of the boxes. `alphabet` gives the character of each class. `onProgress` is
 * called with the number of boxes read so far.
 */
export async function recognise(
  image: Image,
  boxes: readonly Box[],
  network: Network,
  alphabet: readonly string[],
  onProgress: (done: number) => void = () => {},
): Promise<RecognisedText[]> {
  const rgb = convertChannels(image, 3);
  const byWidth = new Map<number, { index: number; line: Image }[]>();
  boxes.forEach((box, index) => {
    const line = cutLine(rgb, box);
    const width = inputWidth(line);
    const group = byWidth.get(width) ?? [];
    byWidth.set(width, group);
    group.push({ index, line });
  });
  const texts = new Array<RecognisedText>(boxes.length);
  let done = 0;
  for (const [width, group] of byWidth) {
    for (let first = 0; first < group.length; first += batchSize) {
      const batch = group.slice(first, first + batchSize);
      const lines = batch.map(({ line }) => line);
      const input = recognitionInput(lines, width);
      const output = await network(input.data, input.shape);
      decodeCtc(output, alphabet).forEach(({ characters, steps, confidence }, i) => {
        const { index, line } = batch[i];
        const pixelsPerStep = width / output.shape[1];
        const positions = steps.map((step) => ((step + 0.5) * pixelsPerStep) / lineWidthAt(line, width));
        texts[index] = { text: addSpaces(characters, positions, line), confidence };
      });
      done += batch.length;
      onProgress(done);
    }
  }
  return texts;
}

/** The line under a box, upright; one that is much taller than wide is taken for a line that runs downwards. */
export function cutLine(image: Image, box: Box): Image {
  const line = cutOut(image, box);
  return line.height >= 1.5 * line.width ? turnLeft(line) : line;
}

/** The width that a line needs at the network's height, rounded up to a step, so that few shapes occur. */
function inputWidth(line: Image): number {
  const width = Math.ceil((lineHeight * line.width) / line.height);
  return Math.min(maxWidth, Math.ceil(width / widthStep) * widthStep);
}

/** The part of the network's input width that the line takes. */
function lineWidthAt(line: Image, width: number): number {
  return Math.min(width, Math.max(1, Math.ceil((lineHeight * line.width) / line.height)));
}

/** Lines at the network's height as [N,3,48,width], BGR, from -1 to 1; zeros to the right of each. */
export function recognitionInput(lines: readonly Image[], width: number): ImageTensor {
  const data = new Float32Array(lines.length * 3 * lineHeight * width);
  lines.forEach((line, n) => {
    const lineWidth = lineWidthAt(line, width);
    const resized = resizeImage(line, lineWidth, lineHeight, { mode: 'bilinear' });
    const pixels = imageToTensor(resized, { mean: 0.5, std: 0.5, channelOrder: 'bgr' }).data;
    for (let row = 0; row < 3 * lineHeight; row++) {
      data.set(pixels.subarray(row * lineWidth, (row + 1) * lineWidth), (n * 3 * lineHeight + row) * width);
    }
  });
  return { data, shape: [lines.length, 3, lineHeight, width] };
}

export interface DecodedLine {
  characters: string[];
  /** The step at which each character is, the middle of those that give it. */
  steps: number[];
  /** Mean probability of the characters, each at its first step; 0 if there are none. */
  confidence: number;
}

/**
 * Greedy decoding of CTC (Graves et al., 2006): the likeliest class of each step, repetitions joined, blanks (class 0)
 * left out. `output` is [N,T,classes] of probabilities.
 */
export function decodeCtc(
  output: { data: ArrayLike<number>; shape: readonly number[] },
  alphabet: readonly string[],
): DecodedLine[] {
  const [batch, stepCount, classes] = output.shape;
  if (classes !== alphabet.length) {
    throw new Error(`the network has ${classes} classes, the alphabet ${alphabet.length} characters`);
  }
  const { data } = output;
  return Array.from({ length: batch }, (_, n) => {
    const characters: string[] = [];
    const steps: number[] = [];
    let sum = 0;
    let previous = 0;
    for (let t = 0; t < stepCount; t++) {
      const base = (n * stepCount + t) * classes;
      let best = 0;
      for (let k = 1; k < classes; k++) if (data[base + k] > data[base + best]) best = k;
      if (best !== 0 && best === previous) steps[steps.length - 1] += 0.5;
      else if (best !== 0) {
        characters.push(alphabet[best]);
        steps.push(t);
        sum += data[base + best];
      }
      previous = best;
    }
    return { characters, steps, confidence: characters.length === 0 ? 0 : sum / characters.length };
  });
}
