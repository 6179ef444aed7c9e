import { Generator, philox } from '../common/random.ts';

const words = new Uint32Array(4);

/**
 * The random numbers of one sample in one epoch, or (index −1) of the epoch's order. They depend on nothing else, so that a
 * run which is resumed, or which has another number of workers, sees the same samples.
 */
export function sampleGenerator(seed: number, epoch: number, index: number): Generator {
  philox([index >>> 0, epoch >>> 0, 0x64617461, 0], [seed >>> 0, Math.floor(seed / 2 ** 32)], words);
  return new Generator((words[1] >>> 11) * 2 ** 32 + words[0]);
}
