// The edge runtime with the kernels that its entry lacks.
import relaxed from 'convlet/kernels/relaxed.wasm?module';
import training from 'convlet/kernels/relaxed-train.wasm?module';
import { inference, training as train } from '../../probe.mjs';

export const config = { runtime: 'edge' };
export default async () =>
  Response.json({
    inference: { relaxed: await inference({ kernels: relaxed, variant: 'relaxed' }) },
    training: { relaxed: await train({ kernels: training, variant: 'relaxed' }) },
  });
