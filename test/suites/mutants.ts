// Makes mutants of a TypeScript (or AssemblyScript) source: each has one small fault, which replaces a piece of its text.
import { parseAst } from 'vitest/node';

export interface Mutant {
  readonly path: string;
  readonly line: number;
  /** The replaced part: offsets in the source's text. */
  readonly start: number;
  readonly end: number;
  readonly was: string;
  readonly now: string;
}

/** A node of the syntax tree (ESTree with TypeScript's own nodes, whose names begin with TS). */
interface Syntax {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

type Change = { readonly at: { readonly start: number; readonly end: number }; readonly now: string };
type Rule = (node: Syntax, text: (of: Syntax) => string, parent: Syntax | null) => Change[];

/** Operators and their replacements: for a comparison the other boundary and the negation. */
const operators: { readonly [operator: string]: readonly string[] } = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '==': ['!='],
  '!=': ['=='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '<<': ['>>'],
  '>>': ['<<'],
  '>>>': ['<<'],
  '&': ['|'],
  '|': ['&'],
  '+=': ['-='],
  '-=': ['+='],
  '*=': ['/='],
};

/** Functions that are easily confused. */
const twins: { readonly [name: string]: string } = {
  min: 'max',
  max: 'min',
  floor: 'ceil',
  ceil: 'floor',
  every: 'some',
  some: 'every',
};

/** Methods whose result resembles the object on which they are called. */
const droppable = new Set(['filter', 'slice', 'sort', 'reverse', 'trim', 'subarray']);

const isText = (node: Syntax): boolean =>
  node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');

/** The text of an expression that replaces a larger one. */
const alone = (node: Syntax, text: (of: Syntax) => string): string =>
  /^(?:Identifier|Literal|(?:Member|Call|Array|This)Expression)$/.test(node.type) ? text(node) : `(${text(node)})`;

/** The position of the operator between two operands: the syntax tree has only the positions of the operands. */
const between = (text: string, operator: string, left: Syntax, right: Syntax): Change['at'] => {
  const start = text.indexOf(operator, left.end);
  return start >= 0 && start < right.start ? { start, end: start + operator.length } : { start: -1, end: -1 };
};

const rules: { readonly [type: string]: (source: string) => Rule } = {
  BinaryExpression: (source) => (node) => {
    const [left, right] = [node.left as Syntax, node.right as Syntax];
    const operator = node.operator as string;
    if (isText(left) || isText(right)) return [];
    const at = between(source, operator, left, right);
    return (operators[operator] ?? []).map((now) => ({ at, now }));
  },
  AssignmentExpression: (source) => (node) => {
    const [left, right] = [node.left as Syntax, node.right as Syntax];
    const operator = node.operator as string;
    if (isText(right)) return [];
    return (operators[operator] ?? []).map((now) => ({ at: between(source, operator, left, right), now }));
  },
  LogicalExpression: (source) => (node, text) => {
    const [left, right] = [node.left as Syntax, node.right as Syntax];
    const operator = node.operator as string;
    const operands = [left, right].map((of) => ({ at: node, now: alone(of, text) }));
    if (operator === '??') return operands;
    return [...operands, { at: between(source, operator, left, right), now: operator === '&&' ? '||' : '&&' }];
  },
  IfStatement: () => (node, text) => {
    const test = node.test as Syntax;
    const negated = { at: test, now: `!(${text(test)})` };
    return node.alternate === null ? [negated, { at: node, now: '{}' }] : [negated];
  },
  ConditionalExpression: () => (node, text) => [{ at: node.test as Syntax, now: `!(${text(node.test as Syntax)})` }],
  UnaryExpression: () => (node, text) =>
    node.operator === '!' || node.operator === '-' ? [{ at: node, now: alone(node.argument as Syntax, text) }] : [],
  Literal: () => (node, text) => {
    if (typeof node.value === 'boolean') return [{ at: node, now: String(!node.value) }];
    if (typeof node.value !== 'number') return [];
    const neighbours = Number.isInteger(node.value) ? [node.value + 1, node.value - 1] : [node.value * 2];
    return neighbours
      .filter((value) => value >= 0 && String(value) !== text(node))
      .map((value) => ({ at: node, now: String(value) }));
  },
  CallExpression: () => (node, text) => {
    const callee = node.callee as Syntax;
    if (callee.type !== 'MemberExpression' || callee.computed === true) return [];
    const name = (callee.property as Syntax).name as string;
    const changes: Change[] = [];
    if (Object.hasOwn(twins, name)) changes.push({ at: callee.property as Syntax, now: twins[name] });
    if (droppable.has(name)) changes.push({ at: node, now: alone(callee.object as Syntax, text) });
    return changes;
  },
  ExpressionStatement: () => (node) => {
    const { type } = node.expression as Syntax;
    const drops = ['CallExpression', 'AssignmentExpression', 'AwaitExpression', 'UpdateExpression'].includes(type);
    return drops ? [{ at: node, now: ';' }] : [];
  },
  ContinueStatement: () => (node) => [{ at: node, now: ';' }],
  BreakStatement: () => (node, _, parent) => (parent?.type === 'SwitchCase' ? [] : [{ at: node, now: ';' }]),
};

/** TypeScript's nodes that contain an expression; its other nodes are erased. */
const wrappers = new Set(['TSAsExpression', 'TSNonNullExpression', 'TSSatisfiesExpression', 'TSTypeAssertion']);

/** Text, and statements that throw errors, are not mutated: a mutant of the condition before a `throw` removes it. */
const isSkipped = (node: Syntax): boolean =>
  (node.type.startsWith('TS') && !wrappers.has(node.type)) ||
  ['ImportDeclaration', 'TemplateLiteral', 'ThrowStatement', 'Decorator'].includes(node.type);

/** All mutants of a source, in its order. */
export function mutantsOf(path: string, source: string): Mutant[] {
  const found: Mutant[] = [];
  const text = ({ start, end }: Syntax): string => source.slice(start, end);
  const visit = (node: Syntax, parent: Syntax | null): void => {
    if (isSkipped(node)) return;
    for (const { at, now } of rules[node.type]?.(source)(node, text, parent) ?? []) {
      if (at.start < 0) continue;
      const { start, end } = at;
      const line = source.slice(0, start).split('\n').length;
      found.push({ path, line, start, end, was: source.slice(start, end), now });
    }
    for (const [key, value] of Object.entries(node)) {
      if (key === 'typeAnnotation' || key === 'returnType' || key === 'typeArguments') continue;
      for (const child of Array.isArray(value) ? value : [value]) {
        if (typeof child?.type === 'string' && typeof child.start === 'number') visit(child, node);
      }
    }
  };
  const options = { lang: 'ts', astType: 'ts' } as Parameters<typeof parseAst>[1];
  visit(parseAst(source, options) as unknown as Syntax, null);
  return found;
}

export const mutated = (source: string, { start, end, now }: Mutant): string =>
  source.slice(0, start) + now + source.slice(end);
