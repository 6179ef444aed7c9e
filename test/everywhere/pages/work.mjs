// Carries out what a test asks for: { networks, options: { NAME: options of load }, training: { NAME: options of init } }.
import { attempt, infer, train } from './probe.mjs';

export async function work({ networks = [], options = {}, training = {} }, inference, lib) {
  const report = { inference: {}, training: {}, isolated: globalThis.crossOriginIsolated };
  for (const [name, given] of Object.entries(options)) {
    report.inference[name] = {};
    for (const network of networks)
      report.inference[name][network] = await attempt(() =>
        infer(inference, new URL(`../models/${network}.onnx`, import.meta.url), given),
      );
  }
  for (const [name, given] of Object.entries(training)) report.training[name] = await attempt(() => train(lib, given));
  return report;
}
