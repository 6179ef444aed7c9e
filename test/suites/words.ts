// Words that comments do not use: each has an ordinary technical word in its place.

/** A pattern of such words (whole words, any case), and what to write instead. */
const words: readonly (readonly [pattern: string, instead: string])[] = [
  ['hand(?:s|ed|ing)? (?:out|over)', 'return, pass'],
  ['g(?:i|a)ve[sn]? back|giving back', 'free, release, return'],
  ['go(?:es)? with', 'is freed with, belongs to'],
  ['rouse[sd]?|rousing', 'wake'],
  ['loose', 'track, untracked'],
  ['attic', 'the name of the folder'],
  ['somebody|anybody|whoever', 'the caller, the user, a call'],
  ['st(?:i|u)cks? out', 'extend beyond, is outside'],
  ['piles? up|piled up', 'accumulate'],
  ['in disguise', 'an alias of'],
  ['at hand', 'current'],
  ['nothing but', 'only'],
  ['its kin', 'similar'],
  ['takes? the place of', 'replace'],
  ['in one go', 'at once'],
  ['behind (?:our|its|the) back', 'without notice'],
];
const pattern = new RegExp(`\\b(?:${words.map(([word]) => `(${word})`).join('|')})\\b`, 'gi');

/** Strings and comments; a string may contain what looks like a comment. */
const tokens = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;

/** The words of the list in the comments of a source, with their lines. */
export function wordProblems(text: string): { readonly line: number; readonly message: string }[] {
  const problems: { line: number; message: string }[] = [];
  for (const { 0: token, index } of text.matchAll(tokens)) {
    if (!token.startsWith('/')) continue;
    // A phrase may continue on the next line of a block comment.
    const comment = token.replace(/\s+(?:\* )?/g, ' ');
    for (const match of comment.matchAll(pattern)) {
      const [, instead] = words[match.slice(1).findIndex((group) => group !== undefined)];
      const line = text.slice(0, index).split('\n').length;
      problems.push({ line, message: `the comment here says '${match[0]}'; write: ${instead}` });
    }
  }
  return problems;
}
