import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { load } from '../../src/runtime/node.ts';
import { describeShared } from '../shared.ts';

/** The arena of full-size networks (../shared/bench-models) is hardly larger than what must be live at once. */
describeShared('memory plans', async (shared) => {
  const root = `${shared}bench-models/`;
  const { expand } = (await import(`${root}expand.mjs`)) as { expand(skeleton: Uint8Array): Uint8Array };
  const files = readdirSync(root).filter((file) => file.endsWith('.skeleton.onnx') && !file.startsWith('vgg'));
  for (const file of files) {
    test(file, { timeout: 60_000 }, async () => {
      const model = await load(expand(readFileSync(root + file)), { backend: 'js' });
      try {
        const { arenaBytes, liveBytes } = model.plan().memory;
        expect(arenaBytes).toBeLessThanOrEqual(1.1 * liveBytes);
      } finally {
        model.dispose();
      }
    });
  }
});
