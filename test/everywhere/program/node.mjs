// The probe and what only Node has: a model by its path, threads, a folder of pictures that threads decode.
import { readFile } from 'node:fs/promises';
import { load } from 'convlet';
import { decodeImage, imageToTensor } from 'convlet/images';
import { data } from 'convlet/train';
import { probe } from './probe.mjs';

const base64 = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString('base64');

/** In a function: bundles in CommonJS have no await outside of one. */
async function main(folder) {
  const report = await probe();
  const image = imageToTensor(await decodeImage(await readFile(`${folder}/classes/star/star1.png`), { channels: 3 }));
  report.node = {};
  for (const leader of ['main', 'worker']) {
    const model = await load(`${folder}/shapes.onnx`, { variant: 'simd', threads: 2, leader });
    report.node[leader] = base64((await model.run({ image })).probabilities.data);
  }
  const set = await data.ImageFolder.open(`${folder}/classes`, { size: 16, workers: 2 });
  report.node.batches = [];
  for await (const { input, target } of new data.DataLoader(set, { batchSize: 2 }))
    report.node.batches.push([[...input.shape], [...target.data], base64(input.data)]);
  console.log(JSON.stringify(report));
}
main(process.argv[2]);
