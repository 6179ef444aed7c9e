// What the test of the documents reads of a Markdown file.

export interface Block {
  /** Language after the fence: `ts`, `sh`, `text`, … */
  readonly language: string;
  readonly text: string;
  /** Line of the opening fence, counted from 1. */
  readonly line: number;
  /** Why the block is not run (`<!-- not run: WHY -->` in front of it), or null. */
  readonly notRun: string | null;
  /** File or folder that the block quotes (`<!-- from: PATH -->` in front of it), or null. */
  readonly from: string | null;
}

/** The fenced blocks, in order. A comment belongs to the block that follows it, blank lines aside. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split('\n');
  let comment = '';
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w*)/.exec(lines[i]);
    if (fence === null) {
      if (lines[i].trim() !== '') comment = lines[i];
      continue;
    }
    const end = lines.indexOf('```', i + 1);
    if (end < 0) throw new Error(`line ${i + 1}: the block does not end`);
    blocks.push({
      language: fence[1],
      text: lines.slice(i + 1, end).join('\n'),
      line: i + 1,
      notRun: /<!-- not run: (.+) -->/.exec(comment)?.[1] ?? null,
      from: /<!-- from: (.+) -->/.exec(comment)?.[1] ?? null,
    });
    comment = '';
    i = end;
  }
  return blocks;
}

/** Targets of inline links and images outside code. */
export function linksOf(markdown: string): string[] {
  const prose = withoutCode(markdown);
  return [...prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map((match) => match[1]);
}

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf(markdown: string): string[] {
  const headings = withoutBlocks(markdown).match(/^#+ .+$/gm) ?? [];
  return headings.map((heading) =>
    heading
      .replace(/^#+ /, '')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const withoutBlocks = (markdown: string): string => markdown.replace(/^```[\s\S]*?^```$/gm, '');
const withoutCode = (markdown: string): string => withoutBlocks(markdown).replace(/`[^`\n]*`/g, '');

/** The commands of a shell block: one a line, `\` continues it, `#` and what follows is a comment. */
export function commandsOf(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** What a program says that it prints: the comments at the end of its `console.log(…);` lines; null if there are none. */
export function promisedOutput(program: string): string[] | null {
  const lines = [...program.matchAll(/^\s*console\.log\(.*\);\s*\/\/ (.+)$/gm)].map((match) => match[1]);
  return lines.length === 0 ? null : lines;
}

/** Figures and builds differ from machine to machine; what is compared is everything else. */
export function withoutFigures(output: string): string {
  return output
    .trim()
    .replace(/─+/g, '─')
    .replace(/\b(?:simd|relaxed)\b/g, 'VARIANT')
    .replace(/-?\d[\d,]*(?:\.\d+)*(?:e[+-]\d+)?/g, '#')
    .replace(/ +/g, ' ')
    .replace(/ $/gm, '');
}
