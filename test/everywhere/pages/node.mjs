// The same on Node: node node.mjs ENTRY_OF_INFERENCE ENTRY_OF_TRAINING REQUEST
import { pathToFileURL } from 'node:url';
import { attempt, infer, train } from './probe.mjs';

const [, , inference, training, text] = process.argv;
const request = JSON.parse(text);
const convlet = await import(pathToFileURL(inference));
const lib = await import(pathToFileURL(training));
const report = { inference: {}, training: {} };
for (const [name, options] of Object.entries(request.options)) {
  report.inference[name] = {};
  for (const [network, path] of Object.entries(request.networks))
    report.inference[name][network] = await attempt(() => infer(convlet, path, options));
}
for (const [name, options] of Object.entries(request.training))
  report.training[name] = await attempt(() => train(lib, options));
console.log(JSON.stringify(report));
