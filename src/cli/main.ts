#!/usr/bin/env node
import { Command } from 'commander';
import { ConvletError } from '../common/error.ts';
import { benchCommand } from './bench.ts';
import { completionCommand } from './completion.ts';
import { doctorCommand } from './doctor.ts';
import { inspectCommand } from './inspect.ts';
import { versionText } from './machine.ts';
import { separatePairs } from './options.ts';
import { runCommand } from './run.ts';

const program = new Command('convlet').description('convolutional networks in WebAssembly').version(versionText());
// Exit status: 1 from `inspect` for a model with nodes that cannot be run, and from comparisons that find a difference; 2 for a
// wrong command line and all other wrong input.
program.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
// A reader such as `head` may close the pipe early.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
for (const add of [inspectCommand, runCommand, benchCommand, doctorCommand, completionCommand]) add(program);

try {
  await program.parseAsync(separatePairs(process.argv.slice(2)), { from: 'user' });
} catch (error) {
  // The user can correct wrong input: print one line without a stack trace.
  if (error instanceof ConvletError) console.error(`convlet: ${error.message}`);
  else if ((error as NodeJS.ErrnoException).syscall !== undefined)
    console.error(`convlet: ${(error as Error).message}`);
  else throw error;
  process.exitCode = 2;
}
