import { buildKernels } from '../../assembly/build.ts';

export default async function setup(): Promise<void> {
  await buildKernels();
}
