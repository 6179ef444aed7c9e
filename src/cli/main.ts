#!/usr/bin/env node
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { ConvletError } from '../common/error.ts';
import { benchCommand } from './bench.ts';
import { inspectCommand } from './inspect.ts';
import { runCommand } from './run.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
const program = new Command('convlet').description('convolutional networks in WebAssembly').version(version);
for (const add of [inspectCommand, runCommand, benchCommand]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  // Wrong input is the user's to mend: one line, no stack.
  if (error instanceof ConvletError) console.error(`convlet: ${error.message}`);
  else if ((error as NodeJS.ErrnoException).code === 'ENOENT') console.error(`convlet: ${(error as Error).message}`);
  else throw error;
  process.exitCode = 2;
}
