// How many parameters a function may have: a call with a dozen of them cannot be read.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'vite';

const most = 8;

/**
 * Functions that have more, as FILE FUNCTION, with the reason. All are inlined: their arguments are registers of the loop around
 * them. A record would be loaded and stored for every pixel.
 */
const exceptions: { readonly [where: string]: string } = {
  'assembly/conv/conv-depthwise.ts feed': 'seven vectors of weights, of which constants choose one',
  'assembly/conv/winograd-input.ts column4': 'the addresses of the six rows of a tile',
  'assembly/norm/normalize.ts scaled': 'operands of a row, and two flags that are constants at each call',
  'assembly/pool/pool-grad.ts window': 'the taps and steps of a window along three axes',
  'assembly/pool/pool.ts pixel': 'the taps and steps of a window along three axes',
  'assembly/pool/sums.ts channels': 'the taps and steps of a window along three axes',
  'assembly/pool/sums.ts sumCells':
    'the taps and steps of a window along three axes; called once for 64 cells and more',
};

// biome-ignore lint/suspicious/noExplicitAny: nodes of a syntax tree
type Node = any;

/** Functions with more parameters than may be, and exceptions that are not needed. */
export function* parameterProblems(root: string): Generator<string> {
  const needed = new Set<string>();
  const paths = ['src', 'assembly'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  );
  for (const path of paths.filter((name) => name.endsWith('.ts') && !name.includes('/generated/'))) {
    // TypeScript has no decorators of functions.
    const text = readFileSync(join(root, path), 'utf8').replace(/^ *@\w+/gm, '');
    for (const [name, count] of functionsOf(parseAst(text, { lang: 'ts' }, path))) {
      if (count <= most) continue;
      const where = `${path} ${name}`;
      needed.add(where);
      if (exceptions[where] === undefined) yield `${path}: ${name} has ${count} parameters, more than ${most}`;
    }
  }
  for (const where of Object.keys(exceptions))
    if (!needed.has(where)) yield `${where} has few parameters: it needs no exception in test/suites/parameters.ts`;
}

function* functionsOf(node: Node, name = 'a function'): Generator<[name: string, parameters: number]> {
  if (Array.isArray(node)) for (const entry of node) yield* functionsOf(entry, name);
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
  const own = node.id?.name ?? node.key?.name ?? name;
  if (/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type))
    yield [own, node.params.length];
  for (const value of Object.values(node)) if (typeof value === 'object') yield* functionsOf(value, own);
}
