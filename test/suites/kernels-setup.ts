import { buildKernels } from '../../assembly/build.ts';
import { writeWorkerSources } from '../../scripts/worker-source.ts';

export default async function setup(): Promise<void> {
  await buildKernels();
  await writeWorkerSources();
}
