import { buildKernels } from '../../assembly/build.ts';
import { writeWorkerSource } from '../../scripts/worker-source.ts';

export default async function setup(): Promise<void> {
  await buildKernels();
  await writeWorkerSource();
}
