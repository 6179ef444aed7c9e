// `convlet doctor`, completions, and the line that says what goes on.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { lineOf, startProgress } from '../../src/cli/progress.ts';
import { run } from '../runtime/package.ts';
import { convlet, file, prepare } from './program.ts';

prepare();

describe('doctor', () => {
  test('says what there is, and tries each way to run a network', async () => {
    const { code, stdout, stderr } = await convlet('doctor');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^runtime +Node [\d.]+, \w+ \w+$/m);
    expect(stdout).toMatch(/^SIMD +yes$/m);
    expect(stdout).toMatch(/^relaxed SIMD +(yes$|no: )/m);
    for (const way of ['plain JS', 'simd', '\\d threads', 'off the main thread'])
      expect(stdout).toMatch(new RegExp(`^${way} +ok +\\d+ ms from load to result$`, 'm'));
    expect(stdout).toContain("script-src 'wasm-unsafe-eval'");
    expect(stdout).toContain('Cross-Origin-Opener-Policy');
  });

  test('--json', async () => {
    const { code, stdout } = await convlet('doctor', '--json');
    expect(code).toBe(0);
    const { versions, machine, checks, hints } = JSON.parse(stdout);
    expect(versions.kernels).toMatch(/^[0-9a-f]{8}$/);
    expect(machine).toMatchObject({ simd: true, sharedMemory: true });
    expect(checks.length).toBe(machine.relaxed ? 5 : 4);
    expect((checks as { ok: boolean }[]).every(({ ok }) => ok)).toBe(true);
    expect(hints.length).toBeGreaterThan(2);
  });

  test('what does not work is said, with exit status 1', async () => {
    const plain = file('no-simd.mjs');
    writeFileSync(plain, 'WebAssembly.validate = () => false;\n');
    const main = new URL('../../build/cli/main.js', import.meta.url).pathname;
    const without = await run(process.execPath, ['--import', plain, main, 'doctor']);
    expect(without.code).toBe(0);
    expect(without.stdout).toMatch(/^SIMD +no: only backend 'js' runs$/m);
    expect(without.stdout).not.toMatch(/^simd /m);
    const broken = file('no-threads.mjs');
    writeFileSync(
      broken,
      "import workers from 'node:worker_threads';\nworkers.Worker = class { constructor() { throw new Error('no workers'); } };\n",
    );
    const { code, stdout } = await run(process.execPath, ['--import', broken, main, 'doctor']);
    expect(stdout).toMatch(/^\d threads +FAILS +.*no workers/m);
    expect(stdout).toMatch(/^simd +ok/m);
    expect(code).toBe(1);
  });
});

describe('completion', () => {
  test('bash: commands, options of a command, words of an option, files', async () => {
    const { code, stdout } = await convlet('completion', 'bash');
    expect(code).toBe(0);
    writeFileSync(file('complete.bash'), stdout);
    writeFileSync(file('picture-of-a-cat.png'), '');
    const complete = async (...words: string[]): Promise<string[]> => {
      const list = words.map((word) => `'${word}'`).join(' ');
      const script = `source '${file('complete.bash')}'; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _convlet; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const done = await run('bash', ['-c', script], { cwd: file() });
      expect(done.stderr).toBe('');
      return done.stdout.trim().split('\n');
    };
    expect(await complete('convlet', 'in')).toEqual(['inspect']);
    expect(await complete('convlet', 'bench', '--pr')).toEqual(['--profile', '--precision']);
    expect(await complete('convlet', 'run', '--prof')).toEqual(['']);
    expect(await complete('convlet', 'run', 'm.onnx', '--fit', 'c')).toEqual(['contain', 'cover']);
    expect(await complete('convlet', 'run', 'm.onnx', '--input', 'x=pict')).toEqual(['picture-of-a-cat.png']);
  });

  test.each(['zsh', 'fish'])('%s: every command with its options', async (shell) => {
    const { code, stdout } = await convlet('completion', shell);
    expect(code).toBe(0);
    for (const name of ['inspect', 'run', 'bench', 'doctor', 'completion']) expect(stdout).toContain(name);
    for (const option of ['precision', 'warmup', 'against', 'attributes', 'profile']) expect(stdout).toContain(option);
    expect(stdout).toContain('stretch contain cover');
    expect(stdout).not.toContain('undefined');
  });
});

describe('progress', () => {
  test('a bar, or the time alone', () => {
    expect(lineOf('runs', 0.5, 3.2)).toBe(`runs  ${'█'.repeat(12)}${'░'.repeat(12)}  50 %  3 s`);
    expect(lineOf('runs', 2, 1)).toContain(`${'█'.repeat(24)}  100 %`);
    expect(lineOf('loading', null, 12)).toBe('loading  12 s');
  });

  test('only on a terminal, only after a second, and gone at the end', () => {
    const written: string[] = [];
    const stream = (isTTY: boolean) =>
      ({ isTTY, write: (text: string) => written.push(text) }) as unknown as NodeJS.WriteStream;
    const none = startProgress(stream(false));
    none.show('runs', 1);
    none.end();
    vi.useFakeTimers();
    try {
      const progress = startProgress(stream(true));
      progress.show('runs', 0.1);
      vi.advanceTimersByTime(950);
      progress.show('runs', 0.2);
      expect(written).toEqual([]);
      vi.advanceTimersByTime(60);
      progress.show('runs', 0.3);
      progress.show('loading');
      vi.advanceTimersByTime(150);
      progress.end();
      vi.advanceTimersByTime(5000);
    } finally {
      vi.useRealTimers();
    }
    // What is drawn last stays up to date by itself, and the end wipes it out.
    expect(written).toEqual([
      `\r\x1b[K${lineOf('runs', 0.2, 1)}`,
      `\r\x1b[K${lineOf('loading', null, 1.1)}`,
      '\r\x1b[K',
    ]);
  });
});

describe('docs/cli.md', () => {
  const document = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');
  const flagsOf = (text: string, pattern: RegExp): string[] =>
    [...text.matchAll(pattern)].map((match) => match[1]).sort();
  const section = (title: string): string =>
    new RegExp(`^## ${title}$([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(document)![1];
  const shared = flagsOf(section('Options of all three'), /^\| `(--[\w-]+)/gm);

  test.each(['inspect', 'run', 'bench', 'doctor', 'completion'])('has the options of %s', async (command) => {
    const { stdout } = await convlet(command, '--help');
    const known = flagsOf(stdout, /^ {2}(--[\w-]+)/gm);
    const own = flagsOf(section(command), /^\| `(--[\w-]+)/gm);
    const common = ['inspect', 'run', 'bench'].includes(command) ? shared : [];
    expect([...own, ...common].sort()).toEqual(known);
  });
});
